"""Models served by Together AI, through OpenAI's wire and SDK.

Its log-probabilities and its Batch API have shapes of their own, which are not spoken here.
"""

from __future__ import annotations

from harness.models.providers._dialect import Dialect
from harness.models.providers._vendor import Vendor

OFFICIAL = "https://api.together.ai/v1"
HOSTS = "api.together.ai api.together.xyz"
KEY = "TOGETHER_API_KEY"
PRICES = "together"
CHATS = True
DEFAULT_MODEL = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
MODELS = ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "openai/gpt-oss-120b", "Qwen/Qwen3.8-Flash")
RUNS_HERE = False
GIVES_SCORES = False

VENDOR = Vendor("together", OFFICIAL, Dialect(KEY, logprobs=0))
available, connect = VENDOR.available, VENDOR.connect

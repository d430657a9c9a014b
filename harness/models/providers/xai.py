"""xAI's Grok models, through OpenAI's wire and SDK.

Reasoning is not counted in the completion tokens, only in the total. Models that reason give no
log-probabilities.
"""

from __future__ import annotations

from harness.models.providers._dialect import Dialect
from harness.models.providers._vendor import Vendor

OFFICIAL = "https://api.x.ai/v1"
KEY = "XAI_API_KEY"
PRICES = "x-ai"
CHATS = True
DEFAULT_MODEL = "grok-4-1-fast-non-reasoning"
MODELS = ("grok-4-1-fast-non-reasoning", "grok-4.3", "grok-4.7")
RUNS_HERE = False
GIVES_SCORES = False

VENDOR = Vendor("xai", OFFICIAL, Dialect(KEY, limit="max_completion_tokens", logprobs=0))
available, connect = VENDOR.available, VENDOR.connect

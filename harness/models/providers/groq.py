"""Models served by Groq, through OpenAI's wire and SDK. It refuses log-probabilities.

What a batch costs differs by model; the price table knows it for some.
"""

from __future__ import annotations

from harness.models.providers._dialect import Dialect
from harness.models.providers._vendor import Vendor

OFFICIAL = "https://api.groq.com/openai/v1"
KEY = "GROQ_API_KEY"
PRICES = "groq"
BATCHES = True
CHATS = True
DEFAULT_MODEL = "llama-3.1-8b-instant"
MODELS = ("llama-3.1-8b-instant", "llama-3.3-70b-versatile", "openai/gpt-oss-20b")
RUNS_HERE = False
GIVES_SCORES = False

VENDOR = Vendor("groq", OFFICIAL, Dialect(KEY, limit="max_completion_tokens", logprobs=0, has_batches=True))
available, connect = VENDOR.available, VENDOR.connect

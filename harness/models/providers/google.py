"""Google's Gemini models, through the OpenAI-compatible wire of the Gemini API and OpenAI's SDK.

Thoughts are billed as output and stand only in the total. A seed is not documented for this wire, nor are
log-probabilities. Its Batch API takes another wire.
"""

from __future__ import annotations

from harness.models.providers._dialect import Dialect, thoughts_outside
from harness.models.providers._vendor import Vendor

OFFICIAL = "https://generativelanguage.googleapis.com/v1beta/openai"
KEY = "GEMINI_API_KEY"
PRICES = "google"
CHATS = True
DEFAULT_MODEL = "gemini-3.1-flash-lite"
MODELS = ("gemini-3.1-flash-lite", "gemini-2.5-flash-lite", "gemini-2.5-flash", "gemini-3.8-flash")
RUNS_HERE = False
GIVES_SCORES = False

VENDOR = Vendor("google", OFFICIAL, Dialect(KEY, seed=None, logprobs=0, counts=thoughts_outside))
available, connect = VENDOR.available, VENDOR.connect

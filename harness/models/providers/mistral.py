"""Mistral's models, through OpenAI's wire and SDK. The seed has another name, and batches a wire of their own."""

from __future__ import annotations

from harness.models.providers._dialect import Dialect
from harness.models.providers._vendor import Vendor

OFFICIAL = "https://api.mistral.ai/v1"
KEY = "MISTRAL_API_KEY"
PRICES = "mistral"
BATCH_FACTOR = 0.5  # of the list price, for every model
CHATS = True
DEFAULT_MODEL = "mistral-small-latest"
MODELS = ("mistral-small-latest", "ministral-8b-latest", "mistral-medium-latest")
RUNS_HERE = False
GIVES_SCORES = False

VENDOR = Vendor("mistral", OFFICIAL, Dialect(KEY, seed="random_seed", logprobs=0))
available, connect = VENDOR.available, VENDOR.connect

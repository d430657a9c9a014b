"""Anthropic's models through its official SDK.

Key and address come from the SDK's own variables, ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) and
ANTHROPIC_BASE_URL. The SDK's retries are off: one layer retries, and it is not this one. It takes two
seconds to import, so it comes with the first connection: asking whether there is a key costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from harness.ground.redaction import public_address
from harness.models.providers import _vendor
from harness.types import Model

if TYPE_CHECKING:
    from harness.types import Connection

OFFICIAL = "https://api.anthropic.com"
KEY = "ANTHROPIC_API_KEY"
TOKEN = "ANTHROPIC_AUTH_TOKEN"
ADDRESS = "ANTHROPIC_BASE_URL"
PRICES = "anthropic"
BATCH_FACTOR = 0.5  # of the list price, for every model
ANY_SERVER = True
BATCHES = True
CHATS = True
DEFAULT_MODEL = "claude-haiku-4-5"
MODELS = ("claude-haiku-4-5", "claude-haiku-5-5", "claude-sonnet-5-5")
RUNS_HERE = False
GIVES_SCORES = False  # no log-probabilities anywhere in the API


def available() -> str | None:
    """Why Anthropic cannot be called here, or None."""
    return _vendor.missing(KEY, TOKEN)


def connect(model: str, base_url: str | None = None, timeout_s: float = _vendor.TIMEOUT_S) -> Connection:
    """A connection to a model; `AuthError` before anything is sent when there is no key."""
    address = base_url or os.environ.get(ADDRESS) or OFFICIAL
    endpoint = public_address(address, OFFICIAL)
    _vendor.check_address("anthropic", endpoint)
    key, token = _vendor.secret(KEY), _vendor.secret(TOKEN)
    if not key and not token and not endpoint:
        raise _vendor.no_key("anthropic", model, KEY)
    messages = import_module("harness.models.providers._anthropic_messages")
    return messages.Messages(Model("anthropic", model, endpoint), address, (key, token), timeout_s)  # type: ignore[no-any-return]

"""Decision endpoints: the model is asked to choose among options, and returns a probability for each.

`decision/gpt-6-luna` goes through OpenAI's official SDK (`/decisions`), with the same key and address
variables as `openai/`. A prompt's labels are the options, with their descriptions; its system message is
the instruction and the other messages are the input. A refusal is an outcome, not an error.
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

OFFICIAL = "https://api.openai.com/v1"
KEY = "OPENAI_API_KEY"
ADDRESS = "OPENAI_BASE_URL"
PRICES = "openai-decisions"
ANY_SERVER = True
DEFAULT_MODEL = "gpt-6-luna"
MODELS = (DEFAULT_MODEL,)
RUNS_HERE = False
GIVES_SCORES = True
DESCRIBES_OPTIONS = True


def available() -> str | None:
    """Why the endpoint cannot be called here, or None."""
    return _vendor.missing(KEY)


def connect(model: str, base_url: str | None = None, timeout_s: float = _vendor.TIMEOUT_S) -> Connection:
    """A connection to a decision model; `AuthError` before anything is sent when there is no key."""
    address = base_url or os.environ.get(ADDRESS) or OFFICIAL
    endpoint = public_address(address, OFFICIAL)
    _vendor.check_address("decision", endpoint)
    key = _vendor.secret(KEY)
    if not key and not endpoint:
        raise _vendor.no_key("decision", model, KEY)
    wire = import_module("harness.models.providers._decisions")
    return wire.Decisions(Model("decision", model, endpoint), address, key, timeout_s)  # type: ignore[no-any-return]

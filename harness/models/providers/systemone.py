"""Decision models in the System One format (`POST /v1/systemone`), hosted or on a server of one's own.

Typed questions (`choice`, `noul`, `score`) are answered with probabilities: a prompt's labels are the options,
sent with their descriptions, its system message is the instruction, the other messages are the state. A prompt
with `output: json` asks a question for every property of its schema, all in one call. SYSTEMONE_BASE_URL names
another server; at another vendor's address that vendor's key is used.
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

OFFICIAL = "https://api.typesafe.ai"
KEY = "TYPESAFE_API_KEY"
ADDRESS = "SYSTEMONE_BASE_URL"
PRICES = "typesafe"
ANY_SERVER = True
DEFAULT_MODEL = "jev-latest"
MODELS = (DEFAULT_MODEL, "jev-1.14.0", "jev-1.13.0")
RUNS_HERE = False
GIVES_SCORES = True
DESCRIBES_OPTIONS = True


def available() -> str | None:
    """Why no decision model can be called here, or None."""
    return None if os.environ.get(ADDRESS) else _vendor.missing(KEY)


def connect(model: str, base_url: str | None = None, timeout_s: float = _vendor.TIMEOUT_S) -> Connection:
    """A connection to a decision model; `AuthError` before anything is sent when there is no key."""
    address = base_url or os.environ.get(ADDRESS) or OFFICIAL
    endpoint = public_address(address, OFFICIAL)
    owner = _vendor.owner_of(endpoint)
    variable = KEY if owner is None else _vendor.key_of(owner)
    key = _vendor.secret(variable)
    if not key and (not endpoint or owner is not None):
        raise _vendor.no_key("systemone", model, variable, endpoint)
    wire = import_module("harness.models.providers._systemone_wire")
    return wire.SystemOne(Model("systemone", model, endpoint), address, (variable, key), timeout_s)  # type: ignore[no-any-return]

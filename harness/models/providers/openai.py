"""OpenAI's chat models through its official SDK, and every server that speaks the same protocol.

Key and address come from the SDK's own variables, OPENAI_API_KEY and OPENAI_BASE_URL. The SDK's
retries are off: one layer retries, and it is not this one. The SDK takes a second to import, so it comes
with the first connection: asking whether there is a key costs nothing.
"""

from __future__ import annotations

import os
import socket
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.errors import ConfigError
from harness.ground.redaction import public_address
from harness.models.providers import _dialect, _vendor
from harness.types import Model

if TYPE_CHECKING:
    from types import ModuleType

    from harness.types import Connection

OFFICIAL = "https://api.openai.com/v1"
KEY = "OPENAI_API_KEY"
ADDRESS = "OPENAI_BASE_URL"
PRICES = "openai"
ANY_SERVER = True  # many servers speak this wire, each at its own price
BATCHES = True
CHATS = True
# Not a reasoning model: those reject a temperature, and spend a label's few tokens on thinking.
DEFAULT_MODEL = "gpt-4o-mini"
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-5-mini", "gpt-5")
RUNS_HERE = False
GIVES_SCORES = True
# Where servers of one's own listen unless told otherwise: Ollama, llama.cpp, vLLM, LM Studio.
USUAL_PORTS = (11434, 8080, 8000, 1234)
KNOCK_S = 0.5
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def available() -> str | None:
    """Why OpenAI cannot be called here, or None."""
    return _vendor.missing(KEY)


def served_on_loopback() -> tuple[str, str] | None:
    """The address of a server on this machine and the first chat model it lists; None when there is none.

    OPENAI_BASE_URL is tried first when it names this machine. Only the list of models is asked for.
    """
    named = os.environ.get(ADDRESS) or ""
    usual = [f"http://127.0.0.1:{port}/v1" for port in USUAL_PORTS]
    for address in ([named] if urlsplit(named).hostname in LOOPBACK else []) + usual:
        names = _chat().models_at(address, KNOCK_S) if _somebody_listens(address) else []
        if names:
            return address, names[0]
    return None


def connect(model: str, base_url: str | None = None, timeout_s: float = _vendor.TIMEOUT_S) -> Connection:
    """A connection to a chat model; `AuthError` before anything is sent when there is no key."""
    address = base_url or os.environ.get(ADDRESS) or OFFICIAL
    endpoint = public_address(address, OFFICIAL)
    _vendor.check_address("openai", endpoint)
    key = _vendor.secret(KEY)
    if not key and not endpoint:
        raise _vendor.no_key("openai", model, KEY)
    dialect = _dialect.OWN_SERVER if endpoint else _dialect.OPENAI
    return _chat().Chat(Model("openai", model, endpoint), address, key, timeout_s, dialect)  # type: ignore[no-any-return]


def _chat() -> ModuleType:
    return import_module("harness.models.providers._openai_chat")


def _somebody_listens(address: str) -> bool:
    try:
        parts = urlsplit(public_address(address, OFFICIAL))
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=KNOCK_S):
            return True
    except (OSError, ConfigError):
        return False

"""Anthropic's models in Google's Vertex AI, through the client that Anthropic's SDK has for it (extra `vertex`).

The credentials are Google's own (Application Default Credentials); CLOUD_ML_REGION is the region, and
ANTHROPIC_VERTEX_PROJECT_ID the project where the credentials name none.
"""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.ground.redaction import public_address
from harness.models.providers import _vendor
from harness.types import Model

if TYPE_CHECKING:
    from harness.types import Connection

FILE = "GOOGLE_APPLICATION_CREDENTIALS"
ADDRESSES = ("VERTEX_BASE_URL", "ANTHROPIC_VERTEX_BASE_URL")
PRICES = "google"
DEFAULT_MODEL = "claude-haiku-4-5@20251001"
MODELS = (DEFAULT_MODEL, "claude-haiku-5-5", "claude-sonnet-5-5")
RUNS_HERE = False
GIVES_SCORES = False
MISSING = "google-auth is not installed: pip install 'prompt-harness[vertex]'"


def available() -> str | None:
    """Why Vertex cannot be called here, or None. A role of the machine is not asked for: that takes a call."""
    if not _is_installed():
        return MISSING
    if not os.environ.get("CLOUD_ML_REGION"):
        return "CLOUD_ML_REGION is not set"
    stored = Path.home() / ".config" / "gcloud" / "application_default_credentials.json"
    return None if os.environ.get(FILE) or stored.is_file() else f"no Google credentials: {FILE} is not set"


def connect(model: str, base_url: str | None = None, timeout_s: float = _vendor.TIMEOUT_S) -> Connection:
    """A connection to a model; `ConfigError` where the extra or the region is missing."""
    if not _is_installed():
        raise ConfigError(f"vertex/{model}: {MISSING}")
    address = base_url or next(filter(None, map(os.environ.get, ADDRESSES)), None)
    endpoint = public_address(address, "") if address else ""
    _vendor.check_address("vertex", endpoint)
    clouds = import_module("harness.models.providers._cloud_messages")
    return clouds.Vertex(Model("vertex", model, endpoint), address or "", (), timeout_s)  # type: ignore[no-any-return]


def _is_installed() -> bool:
    return find_spec("google") is not None and find_spec("google.auth") is not None

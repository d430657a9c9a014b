"""Deployments in Azure OpenAI, through the Azure client of OpenAI's SDK: `azure/DEPLOYMENT`.

AZURE_OPENAI_ENDPOINT is your resource's address, OPENAI_API_VERSION the version of its API. A deployment is
priced as the model it is named after; name another with --priced-as. Batches need a deployment of their own
kind there, and are not asked for.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.ground.redaction import public_address
from harness.models.providers import _dialect, _vendor
from harness.types import Model

if TYPE_CHECKING:
    from harness.types import Connection

KEY = "AZURE_OPENAI_API_KEY"
ADDRESS = "AZURE_OPENAI_ENDPOINT"
VERSION = "OPENAI_API_VERSION"
GATEWAY = "AZURE_BASE_URL"  # in place of the resource's own address
PRICES = "azure"
CHATS = True
DEFAULT_MODEL = "gpt-4o-mini"
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-5-mini")
RUNS_HERE = False
GIVES_SCORES = True

DIALECT = _dialect.Dialect(KEY, limit="max_completion_tokens", is_openai=True)


def available() -> str | None:
    """Why no deployment can be called here, or None."""
    unset = [name for name in (ADDRESS, VERSION) if not os.environ.get(name)]
    if os.environ.get(GATEWAY) and ADDRESS in unset:
        unset.remove(ADDRESS)
    return _vendor.missing(KEY) or (f"{unset[0]} is not set" if unset else None)


def connect(model: str, base_url: str | None = None, timeout_s: float = _vendor.TIMEOUT_S) -> Connection:
    """A connection to a deployment; `ConfigError` or `AuthError` before anything is sent where something is missing.

    The resource's address is a part of the model's identity: what a deployment serves is known there alone.
    """
    address = base_url or os.environ.get(GATEWAY) or os.environ.get(ADDRESS)
    if not address:
        raise ConfigError(
            f"azure/{model} needs your resource's address: set {ADDRESS}, as https://NAME.openai.azure.com"
        )
    version = os.environ.get(VERSION)
    if not version:
        raise ConfigError(f"azure/{model} needs the version of the API: set {VERSION}, as Azure's own page names it")
    endpoint = public_address(address, "")
    _vendor.check_address("azure", endpoint)
    key = _vendor.secret(KEY)
    if not key:
        raise _vendor.no_key("azure", model, KEY, endpoint)
    chat = import_module("harness.models.providers._azure_chat")
    return chat.Deployment(Model("azure", model, endpoint), (address, version), key, timeout_s, DIALECT)  # type: ignore[no-any-return]

"""Anthropic's models in Amazon Bedrock, through the client that Anthropic's SDK has for it (extra `bedrock`).

The credentials are AWS's own: its variables, a profile, a role of the machine, or a Bedrock API key, which
needs no further package.
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

TOKEN = "AWS_BEARER_TOKEN_BEDROCK"
SECRETS = (TOKEN, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
ADDRESSES = ("BEDROCK_BASE_URL", "ANTHROPIC_BEDROCK_BASE_URL")
PRICES = "aws"
DEFAULT_MODEL = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
MODELS = (DEFAULT_MODEL, "global.anthropic.claude-haiku-5-5", "global.anthropic.claude-sonnet-5-5")
RUNS_HERE = False
GIVES_SCORES = False
MISSING = "boto3 is not installed: pip install 'prompt-harness[bedrock]'"


def available() -> str | None:
    """Why Bedrock cannot be called here, or None. A role of the machine is not asked for: that takes a call."""
    if os.environ.get(TOKEN):
        return _vendor.missing(TOKEN)
    if find_spec("boto3") is None:
        return f"{TOKEN} is not set, and {MISSING}"
    named = os.environ.get("AWS_ACCESS_KEY_ID") or os.environ.get("AWS_PROFILE")
    return None if named or (Path.home() / ".aws").is_dir() else "no AWS credentials in the environment or in ~/.aws"


def connect(model: str, base_url: str | None = None, timeout_s: float = _vendor.TIMEOUT_S) -> Connection:
    """A connection to a model; `ConfigError` where the extra or the region is missing."""
    if not os.environ.get(TOKEN) and find_spec("boto3") is None:
        raise ConfigError(f"bedrock/{model}: {MISSING}")
    address = base_url or next(filter(None, map(os.environ.get, ADDRESSES)), None)
    endpoint = public_address(address, "") if address else ""
    _vendor.check_address("bedrock", endpoint)
    secrets = [os.environ.get(name, "").strip() for name in SECRETS]
    clouds = import_module("harness.models.providers._cloud_messages")
    return clouds.Bedrock(Model("bedrock", model, endpoint), address or "", secrets, timeout_s)  # type: ignore[no-any-return]

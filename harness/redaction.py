"""Keeps keys out of whatever is stored, logged or shown. Pure: the secrets are passed in."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "[key hidden]"
SHORTEST = 8  # hiding shorter values would blot out ordinary words
LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\bBearer\s+[A-Za-z0-9._~+/-]{16,}=*")


class Redactor:
    """Replaces known secrets (as they are, URL-encoded, in base64) and what looks like a key."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return LOOKS_LIKE_A_KEY.sub(HIDDEN, text)


def public_address(url: str, official: str) -> str:
    """The address without credentials and query; empty for the provider's own. `ConfigError` when it is none."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:  # not the whole address: it may hold a password
        raise ConfigError(
            f"the model server's address (--base-url, or the provider's variable) is mistaken: {error}; "
            "expected one like http://127.0.0.1:11434/v1"
        ) from None
    bare = f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}".rstrip("/")
    return "" if bare == official.rstrip("/") else bare


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), encoded, encoded.rstrip("=")}

"""Keeps keys out of whatever is stored, logged or shown. Pure: the secrets are passed in."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from urllib.parse import SplitResult

HIDDEN = "[key hidden]"
SHORTEST = 8  # hiding shorter values would blot out ordinary words
WITHOUT_SCHEME = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9./_-]*)?")
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
    if parts.scheme not in ("http", "https") or not parts.hostname:
        # Shown only where it can hold no password.
        meant = f"; did you mean http://{url}?" if WITHOUT_SCHEME.fullmatch(url) else ""
        raise ConfigError(
            "the model server's address (--base-url, or the provider's variable) names no server; "
            f"expected one like http://127.0.0.1:11434/v1{meant}"
        )
    bare = f"{parts.scheme}://{_host(parts)}{port}{parts.path}".rstrip("/")
    return "" if bare == official.rstrip("/") else bare


def bare_address(url: str) -> str:
    """An address as it may be shown: without credentials and query; empty where it is none."""
    try:
        return public_address(url, "")
    except ConfigError:
        return ""


def credentials(url: str) -> tuple[str, str | None]:
    """The address without the user and password in it, and these as the value of a header, if there are any."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return bare.geturl(), f"Basic {base64.b64encode(pair).decode()}"


def secrets_in(url: str) -> tuple[str, ...]:
    """What an address says that nobody else may see: password and query, as they are and decoded."""
    parts = urlsplit(url)
    hidden = [
        parts.password or "",
        (credentials(url)[1] or "").partition(" ")[2],
        *(value for _, value in parse_qsl(parts.query)),
    ]
    return tuple({form for secret in hidden for form in (secret, unquote(secret)) if form})


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    return f"[{host}]" if ":" in host else host


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), encoded, encoded.rstrip("=")}

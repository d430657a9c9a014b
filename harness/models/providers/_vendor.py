"""A vendor of models: its key, its address, and that its key goes nowhere else."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.errors import AuthError, ConfigError, NoKey
from harness.ground import plugins
from harness.ground.redaction import public_address
from harness.types import Model

if TYPE_CHECKING:
    from harness.models.providers._dialect import Dialect
    from harness.types import Connection

TIMEOUT_S = 60.0
NEVER_IN_A_KEY = " \"'"  # nor anything that is not ASCII, typographic quotes among it


def secret(variable: str) -> str:
    """The key that an environment variable holds, without the blanks around it; empty when there is none.

    `AuthError` for what cannot be sent as a key: quotes, blanks and line breaks come in by copying.
    """
    key = os.environ.get(variable, "").strip()
    reason = _mistake(key)
    if reason:
        raise AuthError(f"{variable} is no key: {reason}; set it again, the key alone and without quotes")
    return key


def missing(*variables: str) -> str | None:
    """Why there is no key in any of the variables, as `available` says it, or None."""
    try:
        return None if any([secret(variable) for variable in variables]) else f"{variables[0]} is not set"
    except AuthError as error:
        return str(error)


def owner_of(address: str) -> str | None:
    """The provider whose own address it is; None for a gateway or a server of one's own."""
    host = urlsplit(address).hostname or ""
    declared = {name: plugins.constants("providers", name) for name in plugins.names("providers")}
    for name, said in sorted(declared.items(), key=lambda pair: not pair[1].get("CHATS")):
        hosts = said.get("HOSTS") or urlsplit(str(said.get("OFFICIAL") or "")).hostname or ""
        if host in str(hosts).split():
            return name
    return None


def key_of(provider: str) -> str:
    """The variable that holds a provider's key."""
    return str(plugins.constants("providers", provider).get("KEY"))


def check_address(provider: str, address: str) -> None:
    """Raise `ConfigError` where an address is another vendor's: one vendor's key never goes to another's."""
    owner = owner_of(address)
    if owner is not None and key_of(owner) != key_of(provider):
        raise ConfigError(
            f"{urlsplit(address).hostname} is the address of {owner}/, and the key of {provider}/ is not sent there; "
            f"use --model {owner}/MODEL with {key_of(owner)}, and no address of your own"
        )


def no_key(provider: str, model: str, variable: str, endpoint: str = "") -> NoKey:
    """The error of a call that has no key."""
    said = f"no key for {provider}/{model}: set {variable}, or choose --model local/gemma3-270m"
    return NoKey(said, endpoint=endpoint)


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor that speaks OpenAI's chat wire, asked through OpenAI's SDK.

    `NAME_BASE_URL` names another address for it: a gateway, or a test's server.
    """

    name: str
    official: str
    dialect: Dialect

    def available(self) -> str | None:
        """Why the vendor cannot be called here, or None."""
        return missing(self.dialect.key)

    def connect(self, model: str, base_url: str | None = None, timeout_s: float = TIMEOUT_S) -> Connection:
        """A connection to a chat model; `AuthError` before anything is sent when there is no key."""
        address = base_url or os.environ.get(f"{self.name.upper()}_BASE_URL") or self.official
        endpoint = public_address(address, self.official)
        check_address(self.name, endpoint)
        key = secret(self.dialect.key)
        if not key and not endpoint:
            raise no_key(self.name, model, self.dialect.key)
        chat = import_module("harness.models.providers._openai_chat")
        return chat.Chat(Model(self.name, model, endpoint), address, key, timeout_s, self.dialect)  # type: ignore[no-any-return]


def _mistake(key: str) -> str | None:
    for place, char in enumerate(key, start=1):
        if not (char.isascii() and char.isprintable()) or char in NEVER_IN_A_KEY:
            name = unicodedata.name(char, f"character U+{ord(char):04X}").lower()
            return f"its character {place} of {len(key)} is a {name}"
    return None

"""Keys from the environment: without the blanks of a file's last line, and refused where they can be none.

The SDKs are not needed for this, so asking whether a model can be called here costs nothing.
"""

from __future__ import annotations

import os
import unicodedata

from harness.errors import AuthError


def key_in(variable: str) -> str:
    """The key in a variable, or the empty text; `AuthError` for one that no header can carry."""
    key = (os.environ.get(variable) or "").strip()
    reason = _mistake(key)
    if reason:
        raise AuthError(f"{variable} is no key: {reason}; set it again, the key alone and without quotes")
    return key


def missing(*variables: str) -> str | None:
    """Why there is no key in any of the variables, or None."""
    try:
        return None if any([key_in(variable) for variable in variables]) else f"{variables[0]} is not set"
    except AuthError as error:
        return str(error)


def _mistake(key: str) -> str | None:
    for place, char in enumerate(key, start=1):
        if not (char.isascii() and char.isprintable() and char != " "):
            name = unicodedata.name(char, f"character U+{ord(char):04X}").lower()
            return f"its character {place} of {len(key)} is a {name}"
    return None

"""Names of labels that are one name spelt in several ways. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=[^\W\d_])")


def spoken(name: str) -> str:
    """The name as one says it: without case, and without what joins words.

    A sign beside a digit or at an end is part of the name: `-1` is not `1`, `0,1,4` not `0,14`, `C++` not `C`.
    """
    return BETWEEN_LETTERS.sub("", composed(name).casefold())


def composed(name: str) -> str:
    """The name in Unicode's composed form, without blanks at its ends: what no reader can tell apart."""
    return unicodedata.normalize("NFC", name).strip()


def twins(names: Iterable[str]) -> list[list[str]]:
    """The families of names that are said alike, each in the order given."""
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(spoken(name), []).append(name)
    return [family for family in families.values() if len(family) > 1]

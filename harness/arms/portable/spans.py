"""Values of fields as spans of tokens: texts cut into tokens with their places, and answers put together of them.

This file goes into shipped folders as it is: beside its neighbours it imports the standard library, nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.arms.portable.answer import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a sign, and its place in the text: `end` is behind its last character."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Span:
    """A field's value as tokens `first` to `last`, both of them in it."""

    field: str
    first: int
    last: int


def tokens(text: str) -> list[Token]:
    """The tokens of a text: runs of letters, runs of digits, and each other sign by itself."""
    return [Token(hit.group(), hit.start(), hit.end()) for hit in TOKEN.finditer(text)]


def folded(text: str) -> str:
    """What is compared of a token."""
    return unicodedata.normalize("NFKC", text).casefold()


def of_spans(text: str, found: Sequence[Token], spans: Iterable[Span]) -> str:
    """Spans as an answer: the text of each with its place."""
    of_field: dict[str, list[object]] = {}
    for span in sorted(spans, key=lambda one: one.first):
        start, end = found[span.first].start, found[span.last].end
        of_field.setdefault(span.field, []).append({"text": text[start:end], "start": start, "end": end})
    return canonical({name: held[0] if len(held) == 1 else held for name, held in of_field.items()})

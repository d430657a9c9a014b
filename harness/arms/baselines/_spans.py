"""Values of fields as spans of tokens: texts cut into tokens with their places, gold answers laid over them."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.ground.ids import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.types import JSON

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


def of_gold(gold: str, found: Sequence[Token]) -> list[Span]:
    """Where the values of a gold answer stand among the tokens.

    By their places where these are known, else where the value first stands as whole tokens; one that stands nowhere
    is left out.
    """
    spans: list[Span] = []
    for name, held in json.loads(gold).items():
        for value in held if isinstance(held, list) else [held]:
            span = _by_place(name, value, found) if isinstance(value, dict) else _by_text(name, value, found)
            if span is not None and not any(one.first <= span.last and span.first <= one.last for one in spans):
                spans.append(span)
    return sorted(spans, key=lambda span: span.first)


def answer(text: str, found: Sequence[Token], spans: Iterable[Span]) -> str:
    """Spans as an answer: the text of each with its place."""
    of_field: dict[str, list[JSON]] = {}
    for span in sorted(spans, key=lambda one: one.first):
        start, end = found[span.first].start, found[span.last].end
        of_field.setdefault(span.field, []).append({"text": text[start:end], "start": start, "end": end})
    return canonical_json({name: held[0] if len(held) == 1 else held for name, held in of_field.items()})


def _by_place(name: str, value: dict[str, int], found: Sequence[Token]) -> Span | None:
    inside = [i for i, token in enumerate(found) if token.start < value["end"] and token.end > value["start"]]
    return Span(name, inside[0], inside[-1]) if inside else None


def _by_text(name: str, value: str, found: Sequence[Token]) -> Span | None:
    wanted = [folded(token.text) for token in tokens(value)]
    words = [folded(token.text) for token in found]
    for first in range(len(words) - len(wanted) + 1) if wanted else ():
        if words[first : first + len(wanted)] == wanted:
            return Span(name, first, first + len(wanted) - 1)
    return None

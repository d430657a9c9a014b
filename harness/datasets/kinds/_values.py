"""Values of fields, as canonical text: `{"time": "8 pm"}`, a list where a field has several, with places where known.

A value with its place is `{"text": "8 pm", "start": 12, "end": 16}`, counted in characters of the item's text, `end`
behind the last. Two values are the same when they are after NFKC, casefold, and every run of blanks made one.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.ground.ids import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.types import JSON


@dataclass(frozen=True, slots=True, order=True)
class Value:
    """A field with one of its values, and where in the text that stands (None: not known)."""

    field: str
    text: str
    start: int | None = None
    end: int | None = None

    @property
    def pair(self) -> tuple[str, str]:
        """The field and what is compared of the value."""
        return self.field, folded(self.text)

    @property
    def span(self) -> tuple[str, int, int] | None:
        """The field and the place; None where that is not known."""
        return None if self.start is None or self.end is None else (self.field, self.start, self.end)


def folded(text: str) -> str:
    """What is compared of a text: NFKC, casefold, every run of blanks one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def canonical(values: Iterable[Value]) -> str:
    """The one text for some values; the same value of a field at the same place counts once."""
    of_field: dict[str, list[JSON]] = {}
    ordered = sorted(set(values), key=lambda one: (one.field, one.start is None, one.start or 0, one.text))
    for one in ordered:
        placed = {"text": one.text, "start": one.start, "end": one.end}
        of_field.setdefault(one.field, []).append(one.text if one.span is None else placed)
    return canonical_json({name: found[0] if len(found) == 1 else found for name, found in of_field.items()})


@lru_cache(maxsize=100_000)
def read(answer: str) -> tuple[Value, ...]:
    """The values of a canonical text."""
    values = []
    for name, held in json.loads(answer).items():
        for one in held if isinstance(held, list) else [held]:
            placed = one if isinstance(one, dict) else {"text": one}
            values.append(Value(name, placed["text"], placed.get("start"), placed.get("end")))
    return tuple(values)


def pairs(answer: str) -> frozenset[tuple[str, str]]:
    """The pairs of field and value that credit compares."""
    return frozenset(value.pair for value in read(answer))


def spans(answer: str) -> frozenset[tuple[str, int, int]]:
    """The places of the values, where they are known."""
    return frozenset(value.span for value in read(answer) if value.span is not None)


def fields(answer: str) -> tuple[str, ...]:
    """The fields that have a value."""
    return tuple(dict.fromkeys(value.field for value in read(answer)))


def misplaced(answer: str, text: str) -> Value | None:
    """The first value at whose place the text says something else; None where there is none."""
    placed = (value for value in read(answer) if value.span is not None)
    return next((value for value in placed if text[value.start : value.end] != value.text), None)


def are_placed(answers: Iterable[str]) -> bool:
    """Whether there are values and all of them have places."""
    values = [value for answer in answers for value in read(answer)]
    return bool(values) and all(value.span is not None for value in values)

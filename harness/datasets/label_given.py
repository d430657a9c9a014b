"""What one person said of an item, as labelling tools hold it: names, places in the text, or a number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.ground.ids import canonical_json

if TYPE_CHECKING:
    from harness.types import JSON

Place = tuple[str, int, int]  # a field, where its value starts, and where it ends: behind the last character


@dataclass(frozen=True, slots=True)
class Given:
    """An answer of any kind: one label or several are names, values of fields are places, a score is a number."""

    names: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    number: float | None = None


def of_answer(kind: str, answer: str) -> Given:
    """An answer that is written as its kind writes it; a kind of somebody's own has a name.

    `ConfigError` for a value of a field that has no place: tools know values by their places alone.
    """
    if kind == "multi":
        return Given(names=tuple(json.loads(answer)))
    if kind == "score":
        return Given(number=float(answer))
    if kind != "extract":
        return Given(names=(answer,))
    places = []
    for field, held in json.loads(answer).items():
        for value in held if isinstance(held, list) else [held]:
            if not isinstance(value, dict):
                raise ConfigError(
                    f"field {field!r} has {value!r}, whose place in the text is not known, and other tools know values "
                    "by their places alone; --format csv takes it"
                )
            places.append((field, value["start"], value["end"]))
    return Given(places=tuple(places))


def answer_of(kind: str, given: Given, text: str) -> str | None:
    """What a kind reads as the answer; None where there is none. `ValueError` for several of what there is one of.

    No name at all is an answer of kind multi, and no place one of kind extract.
    """
    if kind == "multi":
        return canonical_json(list(given.names))
    if kind == "extract":
        of_field: dict[str, list[JSON]] = {}
        for field, start, end in given.places:
            of_field.setdefault(field, []).append({"text": text[start:end], "start": start, "end": end})
        return canonical_json(dict(of_field))
    if kind == "score":
        return None if given.number is None else repr(float(given.number))
    if len(given.names) > 1:
        raise ValueError(f"there are {len(given.names)} labels; of kind {kind} there is one")
    return given.names[0] if given.names else None

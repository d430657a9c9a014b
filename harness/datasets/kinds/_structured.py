"""What kinds with JSON answers share: the schema of an answer, and the answer's part of a reply. Pure."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from harness.datasets import replies
from harness.datasets.replies import Pairs
from harness.ground.ids import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.datasets.replies import Value
    from harness.types import JSON


def schema(beside: Mapping[str, str], answer: Mapping[str, JSON]) -> str:
    """The JSON schema of an answer; `beside` are what it says first, by name, with their JSON types."""
    properties: dict[str, JSON] = {**{name: {"type": of} for name, of in beside.items()}, **answer}
    wanted: dict[str, JSON] = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    # In canonical JSON keys are sorted; models write properties in the order in which they stand here.
    return json.dumps(wanted, ensure_ascii=False) if beside else canonical_json(wanted)


def answered(reply: str, names: Sequence[str]) -> list[Value]:
    """What a JSON reply says under one of the names (an object's only key may be another), in a list of one.

    Empty where the reply holds no JSON, or JSON that two readers could read in two ways: a key that stands there
    twice, two of the names.
    """
    values = replies.only_value(reply)
    if not values or not isinstance(values[0], Pairs):
        return values
    found = values[0]
    if found.is_ambiguous:
        return []
    named = [value for name in names for value in found.named(name)]
    if not named and len(found.pairs) == 1:
        named = [found.pairs[0][1]]
    return named if len(named) == 1 else []


def plain_text(value: Value) -> str | None:
    """A JSON scalar as text; None for null, a list or an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, int | float) and math.isfinite(value) else None

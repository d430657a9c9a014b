"""Columns inside columns: `data.text` is the `text` of the object in column `data`.

An object that a wanted column reaches into is opened wholly, so that no part of it (the label) is
left behind in a field; the others stay JSON text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEEPEST = 8


def opened(row: Mapping[str, object], wanted: Sequence[str], *, every: bool = False) -> dict[str, object]:
    """The row with the objects opened that wanted columns reach into (`every`: all objects).

    A path goes through lists: `labels.name` of a list of objects is the list of their names. A text
    that holds a JSON object counts as the object; where a row has a plain text instead, that is taken.
    """
    paths = [name for name in wanted if name not in row and _owner(name, row) is not None]
    owners = dict.fromkeys(owner for name in paths if (owner := _owner(name, row)) is not None)
    if every:
        owners |= dict.fromkeys(name for name, value in row.items() if isinstance(_object(value), dict))
    if not owners:
        return dict(row)
    result = {name: value for name, value in row.items() if name not in owners}
    for owner in owners:
        result |= dict(_leaves(owner, _object(row[owner]), DEEPEST))
    for name in paths:
        owner = _owner(name, row) or ""
        result[name] = _at(_object(row[owner]), name[len(owner) + 1 :].split("."))
    return result


def _owner(name: str, row: Mapping[str, object]) -> str | None:
    """The column that a dotted name reaches into: the longest beginning of the name that is a column."""
    cut = name.rfind(".")
    while cut > 0:
        if name[:cut] in row:
            return name[:cut]
        cut = name.rfind(".", 0, cut)
    return None


def _object(value: object) -> object:
    """The value; a text that holds a JSON object or list is what it holds."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _leaves(name: str, value: object, depth: int) -> Iterator[tuple[str, object]]:
    """The simple values inside objects, each under its dotted name; lists of objects are left out."""
    if isinstance(value, dict):
        for key, part in value.items():
            if depth:
                yield from _leaves(f"{name}.{key}", part, depth - 1)
    elif not (isinstance(value, list) and any(isinstance(part, dict | list) for part in value)):
        yield name, value


def _at(value: object, path: Sequence[str]) -> object:
    if not path:
        return value
    if isinstance(value, list):
        parts = [_at(part, path) for part in value]
        return [inner for part in parts for inner in (part if isinstance(part, list) else [part])]
    if isinstance(value, dict):
        joined = ".".join(path)
        return value[joined] if joined in value else _at(value.get(path[0]), path[1:])
    return value if isinstance(value, str) and value.strip()[:1] not in ("{", "[") else None

"""Plain data from a file, checked against a dataclass: unknown keys, types and ranges. Pure.

The dataclass is the schema; every mistake becomes one `ConfigError` line that names the place,
the key, what was found and what was expected.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from harness.errors import ConfigError, one_of

T = TypeVar("T")
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")  # what pydantic calls a key that is none


def validated(kind: type[T], value: object, where: str) -> T:
    """A `kind` (a dataclass) made of the mapping `value`, which was read at `where`."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: found {value!r}; expected keys and values")
    allowed = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # T is a dataclass
    for key in value:
        if key not in allowed:
            raise ConfigError(f"{where}: unknown key {key!r}; {one_of(str(key), allowed)}")

    def no_json(value: object) -> str:
        raise ConfigError(f"{where}: found the {type(value).__name__} {value}; expected text (quote it)")

    try:
        # Through JSON: its strict mode takes an object for a record and a list for a tuple, and
        # still never makes a text of a number, nor a number of a text.
        made: T = _adapter(kind).validate_json(json.dumps(value, default=no_json))  # type: ignore[arg-type]  # a class is hashable
        return made
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] in UNKNOWN:
            allowed = _fields_at(kind, first["loc"][:-1])
            raise ConfigError(f"{where}: unknown key {key!r}; {one_of(str(first['loc'][-1]), allowed)}") from None
        hint = " (quote it)" if first["type"] == "string_type" else ""
        message = first["msg"][0].lower() + first["msg"][1:]
        raise ConfigError(f"{where}: {key} is {first['input']!r}; {message}{hint}") from None


def _fields_at(kind: object, path: tuple[int | str, ...]) -> list[str]:
    """The keys that a table inside the value may have; none where it is not one record."""
    for step in path:
        if not (isinstance(kind, type) and is_dataclass(kind)):
            return []
        kind = get_type_hints(kind).get(str(step))
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(with_config(ConfigDict(strict=True, extra="forbid"))(kind))

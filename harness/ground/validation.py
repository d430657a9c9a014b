"""Plain data from a file, checked against a dataclass: unknown keys, types and ranges. Pure.

The dataclass is the schema; every mistake becomes one `ConfigError` line that names the place,
the key, what was found and what was expected.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from harness.errors import ConfigError, one_of

T = TypeVar("T")


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
        hint = " (quote it)" if first["type"] == "string_type" else ""
        message = first["msg"][0].lower() + first["msg"][1:]
        raise ConfigError(f"{where}: {key} is {first['input']!r}; {message}{hint}") from None


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(with_config(ConfigDict(strict=True, extra="forbid"))(kind))

"""JSON that may be anything: read whole or line by line, and asked for what it must hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGINNING = 65_536
MOST_REPEATS = 1000


def document(path: Path) -> object:
    """The JSON value that a file is; `DatasetError` says where it is none."""
    return parsed(path.read_bytes(), str(path))


def parsed(content: bytes, where: str) -> object:
    """The JSON value of some bytes."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: not JSON: {error}") from None


def lines(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """The objects of a JSONL file with their places."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                where = f"{path}:{number}"
                yield where, mapping(parsed(line, where), where)


def records(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """The objects of a JSONL file, or of a JSON list, with their places."""
    if not beginning(path).lstrip().startswith("["):
        yield from lines(path)
        return
    for number, one in enumerate(sequence(document(path), str(path)), start=1):
        where = f"{path}: record {number}"
        yield where, mapping(one, where)


def first_record(path: Path) -> dict[str, object]:
    """The first object of a JSONL file, or of a JSON list; empty when there is none."""
    start = beginning(path).lstrip()
    if not start.startswith("["):
        return first_line(path)
    try:
        value, _ = json.JSONDecoder().raw_decode(start[1:].lstrip())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def first_line(path: Path) -> dict[str, object]:
    """The object in a JSONL file's first line; empty when it is none."""
    try:
        with path.open("rb") as file:
            value = json.loads(file.readline(BEGINNING * 16))
    except (ValueError, RecursionError, OSError):
        return {}
    return value if isinstance(value, dict) else {}


def beginning(path: Path) -> str:
    """The first characters of a file; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(BEGINNING).decode("utf-8", "replace")
    except OSError:
        return ""


def mapping(value: object, where: str) -> dict[str, object]:
    """The value, if it is an object."""
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: found a JSON {type(value).__name__}; expected an object")
    return value


def sequence(value: object, where: str) -> list[object]:
    """The value, if it is a list."""
    if not isinstance(value, list):
        raise DatasetError(f"{where}: found a JSON {type(value).__name__}; expected a list")
    return value


def part(value: object, *keys: str) -> object:
    """What lies under these keys, one within the other; None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: object) -> str | None:
    """The value as text, if it is text or a number."""
    if isinstance(value, bool) or value is None:
        return None
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else None


def said(value: object) -> str | None:
    """An answer as text: itself, or the JSON that it is; None where there is none."""
    return value if isinstance(value, str) or value is None else json.dumps(value, ensure_ascii=False)


def contents(messages: object) -> tuple[str, ...]:
    """The texts of a chat's messages, the last first; a message is a text, or parts of which some are."""
    found: list[str] = []
    for message in messages if isinstance(messages, list) else []:
        content = part(message, "content")
        parts = content if isinstance(content, list) else [content]
        found += [one for each in parts if isinstance(one := part(each, "text") or each, str)]
    return tuple(reversed(found))


def texts(value: object) -> tuple[str, ...]:
    """The texts among an object's values."""
    return tuple(one for one in value.values() if isinstance(one, str)) if isinstance(value, dict) else ()


def repeat(value: object, where: str, first: int = 0) -> int:
    """How often an item had been asked before, of a count that begins at `first`; without one, 0."""
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not first <= value < first + MOST_REPEATS:
        raise DatasetError(f"{where}: repeat {value!r}; expected a whole number from {first}, {MOST_REPEATS:,} at most")
    return value - first


def amount(value: object) -> float | None:
    """A number from 0 up; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < float("inf") else None

"""New names for labels, as they are given: `OLD=NEW`, or a file of them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from harness.datasets import tables, text_files, vocabulary
from harness.datasets.layouts import Layout
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILES = (".csv", ".tsv", ".json", ".toml")
HEADERS = frozenset({"old", "from", "label", "was", "name"})


def read(given: Iterable[str]) -> dict[str, str]:
    """The new names by the old ones; an empty new name takes the label away. Raises `DatasetError`.

    A file is a table of two columns (old, new; a header line `old,new` is no label), or a JSON or
    TOML object of new names by old ones.
    """
    return vocabulary.relabelling(pair for one in given for pair in _pairs(one))


def _pairs(given: str) -> Iterator[tuple[str, str]]:
    path = Path(given)
    if path.suffix.lower() in FILES and (path.is_file() or "=" not in given):
        text_files.check(path)
        yield from _of_table(path) if path.suffix.lower() in tables.DELIMITED else _of_object(path)
        return
    old, sign, new = given.partition("=")
    if not sign:
        raise DatasetError(f"--relabel {given!r}: expected OLD=NEW, or a file that ends in {', '.join(FILES)}")
    yield old, new


def _of_table(path: Path) -> Iterator[tuple[str, str]]:
    for number, (_, row) in enumerate(tables.read(path, Layout(columns=("old", "new")))):
        old, new = (str(row[name] or "") for name in ("old", "new"))
        if number or old.strip().lower() not in HEADERS:
            yield old, new


def _of_object(path: Path) -> Iterator[tuple[str, str]]:
    text = "".join(text_files.pieces(path))
    try:
        value = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: not readable: {error}") from None
    if not isinstance(value, dict) or not all(isinstance(new, str) for new in value.values()):
        raise DatasetError(f"{path}: expected an object of new names by old ones, all of them texts")
    yield from value.items()

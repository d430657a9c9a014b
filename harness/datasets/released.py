"""The rows of released versions, read to the letter: nothing is repaired, and nothing will ever be read otherwise.

A version's id is a hash over what is read here. People's own files are read by `tables`.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING

from harness.datasets import delimited, encodings, text_files
from harness.datasets.json_files import parsed
from harness.errors import DatasetError, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.datasets.cells import Cell

FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read(path: Path) -> Iterator[tuple[str, dict[str, Cell]]]:
    """The rows of a version's file, by its ending; `DatasetError` names file and line."""
    text_files.check(path)
    suffix = path.suffix.lower()
    encodings.refuse_other_formats(path)
    if suffix in (".csv", ".tsv"):
        return _delimited(path, "\t" if suffix == ".tsv" else ",")
    if suffix in (".jsonl", ".ndjson"):
        return _json_lines(path)
    if suffix == ".parquet":
        # Imported when it is needed: it loads a database engine.
        rows: Iterator[tuple[str, dict[str, Cell]]] = import_module("harness.datasets.parquet").released(path)
        return rows
    raise DatasetError(f"{path}: the ending says no format of a released version; {one_of(suffix, FORMATS)}")


def _delimited(path: Path, separator: str) -> Iterator[tuple[str, dict[str, Cell]]]:
    records = delimited.records(text_files.lines(path), separator, path)
    yield from delimited.under_header(((f"{path}:{start}", cells) for start, _, cells in records), path)


def _json_lines(path: Path) -> Iterator[tuple[str, dict[str, Cell]]]:
    for number, line in enumerate(text_files.lines(path), start=1):
        if line.strip():
            where = f"{path}:{number}"
            row = parsed(line, where)
            if not isinstance(row, dict):
                raise DatasetError(f"{where}: found a JSON {type(row).__name__}; expected an object")
            yield where, {str(name): _cell(cell) for name, cell in row.items()}


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)

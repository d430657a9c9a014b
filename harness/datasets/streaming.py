"""Files that are labelled: read row by row as they are, and written again with columns of answers behind their own.

CSV, TSV, JSON lines and Parquet. Nothing of a row is repaired or left out; little more than a row is in memory.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from harness.datasets import delimited, encodings, text_files
from harness.datasets.cells import spelt
from harness.datasets.json_files import parsed
from harness.datasets.layouts import PLAIN, column_name
from harness.datasets.notes import Notes
from harness.errors import DatasetError, one_of
from harness.ground import private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Row = tuple[str, dict[str, object]]
    Answer = Mapping[str, object]

DELIMITED = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = ".parquet"
FORMATS = (*DELIMITED, *JSON_LINES, PARQUET)


def check_format(path: Path) -> None:
    """Raise `DatasetError` unless the ending says a format that can be labelled."""
    if path.suffix.lower() not in FORMATS:
        raise DatasetError(f"{path}: the ending says no format that is labelled; {one_of(path.suffix, FORMATS)}")


def read(path: Path) -> Iterator[Row]:
    """Where each row stands, and its values by column as the file has them. Raises `DatasetError`."""
    check_format(path)
    text_files.check(path)
    encodings.refuse_other_formats(path)
    suffix = path.suffix.lower()
    if suffix in DELIMITED:
        return delimited.under_header(delimited.read(path, PLAIN, Notes()), path, column_name)
    if suffix in JSON_LINES:
        return _json_lines(path)
    # Imported when it is needed: it loads a database engine.
    rows: Iterator[Row] = import_module("harness.datasets.parquet").as_they_are(path)
    return rows


@dataclass(frozen=True, slots=True)
class Names:
    """All columns of a source, those of an answer, and which rows have one, counted from 0 (None: all have)."""

    columns: Sequence[str]
    answers: Sequence[str]
    numbers: Iterator[int] | None = None


def write(source: Path, to: Path, answers: Iterable[Answer], names: Names) -> None:
    """Write the rows of `source` that have an answer, each with it behind, whole or not at all."""
    with private.files(), private.replaced(to) as unfinished:
        suffix = to.suffix.lower()
        if suffix in DELIMITED:
            _write_delimited(_pairs(source, answers, names), unfinished, names, DELIMITED[suffix])
        elif suffix in JSON_LINES:
            _write_json_lines(({**row, **answer} for row, answer in _pairs(source, answers, names)), unfinished)
        else:
            _write_parquet(source, unfinished, answers, names)


def free_names(wanted: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """The names of the columns of answers: with `harness_` before where the file has such a column."""
    there = set(taken)
    names = {}
    for name in wanted:
        names[name] = name
        while names[name] in there:
            names[name] = f"harness_{names[name]}"
    return names


def _json_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(text_files.lines(path), start=1):
        if line.strip():
            where = f"{path}:{number}"
            row = parsed(line, where)
            if not isinstance(row, dict):
                raise DatasetError(f"{where}: found a JSON {type(row).__name__}; expected an object")
            yield where, row


def _pairs(source: Path, answers: Iterable[Answer], names: Names) -> Iterator[tuple[dict[str, object], Answer]]:
    rows = (row for _, row in read(source))
    yield from zip(rows if names.numbers is None else _at(rows, names.numbers), answers, strict=True)


def _at(rows: Iterator[dict[str, object]], numbers: Iterator[int]) -> Iterator[dict[str, object]]:
    wanted = next(numbers, None)
    for number, row in enumerate(rows):
        if number == wanted:
            yield row
            wanted = next(numbers, None)


def _write_delimited(pairs: Iterable[tuple[dict[str, object], Answer]], to: Path, names: Names, separator: str) -> None:
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        writer.writerow([*names.columns, *names.answers])
        for row, answer in pairs:
            writer.writerow([*(_cell(row.get(name)) for name in names.columns), *map(_cell, answer.values())])


def _write_json_lines(rows: Iterable[Mapping[str, object]], to: Path) -> None:
    with to.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, default=_plain) + "\n")


def _write_parquet(source: Path, to: Path, answers: Iterable[Answer], names: Names) -> None:
    """Through a file of JSON lines beside it; the columns of a Parquet source keep their types."""
    parquet = import_module("harness.datasets.parquet")
    lines = to.with_name(f"{to.name}.jsonl")
    try:
        if source.suffix.lower() == PARQUET:
            _write_json_lines(answers, lines)
            parquet.beside(source, lines, names.answers, to, of_all=names.numbers is None)
        else:
            _write_json_lines(_as_text(source, answers, names), lines)
            parquet.of_lines(lines, names.columns, names.answers, to)
    finally:
        lines.unlink(missing_ok=True)


def _as_text(source: Path, answers: Iterable[Answer], names: Names) -> Iterator[dict[str, object]]:
    for row, answer in _pairs(source, answers, names):
        yield {**{name: None if row.get(name) is None else _cell(row[name]) for name in names.columns}, **answer}


def _cell(value: object) -> str:
    """A value as a cell of text: a list or an object as JSON."""
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    if isinstance(value, float):
        return repr(value)
    told = spelt(value)
    return told if isinstance(told, str) else ""


def _plain(value: object) -> object:
    told = spelt(value)
    return told if told is None or isinstance(told, str) else str(value)

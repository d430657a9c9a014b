"""Files of a share of the rows of another file, each row with its number there: put together again in their order.

Rows are merged as they stand; little more than a row of each part is in memory.
"""

from __future__ import annotations

import csv
import heapq
import json
from contextlib import ExitStack
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from harness.datasets import text_files
from harness.datasets.streaming import DELIMITED, JSON_LINES, check_format
from harness.errors import DatasetError
from harness.ground import private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")
ROW = "row"
"""The column of a row's number in the file that the part is of, from 1."""


def merge(parts: Sequence[Path], index: str, rows: int, to: Path) -> None:
    """Write the rows of all parts in the order of their numbers (column `index`), which is left out.

    Raises `DatasetError` unless they are the numbers from 1 to `rows`, each once.
    """
    check_format(to)
    suffix = to.suffix.lower()
    with private.files(), private.replaced(to) as unfinished, ExitStack() as opened:
        if suffix in DELIMITED:
            separator = DELIMITED[suffix]
            records = [_records(path, separator, opened) for path in parts]
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, delimiter=separator, lineterminator="\n").writerows(_merged(records, index, rows))
        elif suffix in JSON_LINES:
            _merge_lines([_lines(path, index, opened) for path in parts], rows, unfinished)
        else:
            import_module("harness.datasets.parquet").merged(parts, index, rows, unfinished)


def _records(path: Path, separator: str, opened: ExitStack) -> Iterator[list[str]]:
    csv.field_size_limit(text_files.MAX_CELL_CHARS)
    return csv.reader(opened.enter_context(path.open(encoding="utf-8", newline="")), delimiter=separator, strict=True)


def _merged(parts: Sequence[Iterator[list[str]]], index: str, rows: int) -> Iterator[list[str]]:
    headers = [next(part, []) for part in parts]
    header = headers[0]
    if any(other != header for other in headers) or index not in header:
        raise DatasetError("the parts have not the same columns; label them again")
    at = header.index(index)
    yield [*header[:at], *header[at + 1 :]]
    for cells in _in_order([_numbered(part, at) for part in parts], rows):
        yield [*cells[:at], *cells[at + 1 :]]


def _numbered(records: Iterator[list[str]], at: int) -> Iterator[tuple[int, list[str]]]:
    return ((int(cells[at]), cells) for cells in records)


def _lines(path: Path, index: str, opened: ExitStack) -> Iterator[tuple[int, dict[str, object]]]:
    for line in opened.enter_context(path.open(encoding="utf-8")):
        row = json.loads(line)
        yield int(row.pop(index)), row


def _merge_lines(parts: Sequence[Iterator[tuple[int, dict[str, object]]]], rows: int, to: Path) -> None:
    with to.open("w", encoding="utf-8", newline="\n") as file:
        for row in _in_order(parts, rows):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _in_order(parts: Iterable[Iterator[tuple[int, T]]], rows: int) -> Iterator[T]:
    number = 0
    for found, row in heapq.merge(*parts, key=lambda pair: pair[0]):
        number += 1
        if found != number:
            raise DatasetError(f"row {number:,} is in no part, or in two; label the parts again")
        yield row
    if number != rows:
        raise DatasetError(f"the parts have {number:,} rows, and the file has {rows:,}; label them again")

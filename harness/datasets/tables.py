"""People's files of rows, read one row at a time: CSV and its kin, JSON of many shapes, Excel, Parquet, fastText.

Every error names file and line. Cells come out as text (a list of texts where the file holds a
list), numbers and truth values in one spelling; texts are never stripped or repaired here. What was
left out or noticed stands in the notes. Whatever a file holds, little more than a row is in memory.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING

from harness.datasets import cells, delimited, encodings, fasttext, headers, json_files, nesting, text_files
from harness.datasets.layouts import PLAIN
from harness.datasets.notes import Notes
from harness.errors import DatasetError, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.datasets.layouts import Layout

Cell = cells.Cell
Row = tuple[str, dict[str, Cell]]
"""Where the row stands (`file:line`), and its cells by column."""

MAX_CELL_CHARS = text_files.MAX_CELL_CHARS
MAX_LINE_CHARS = text_files.MAX_LINE_CHARS
MAX_FILE_BYTES = text_files.MAX_FILE_BYTES
DELIMITED = (".csv", ".tsv")
JSON = text_files.JSON
EXCEL = headers.SHEETS
PARQUET = ".parquet"
TEXT = ".txt"
FORMATS = (*DELIMITED, *JSON, *EXCEL, PARQUET, *(f"{ending}.gz" for ending in (*DELIMITED, *JSON)))
"""The endings that say a format; a .txt file shows its own."""


def read(path: Path, layout: Layout = PLAIN, notes: Notes | None = None) -> Iterator[Row]:
    """The rows of a file, by its ending; raises `DatasetError`."""
    text_files.check(path)
    encodings.refuse_other_formats(path)
    _refuse_unfit(path, layout)
    notes = Notes() if notes is None else notes
    rows = _rows(path, layout, notes)
    if text_files.ending(path) in (*JSON, PARQUET):
        rows = _without_nul(rows, notes)
    has_paths = layout.open_all or any("." in name for name in layout.wanted)
    return _opened(rows, layout) if has_paths and text_files.ending(path) not in JSON else rows


def columns(path: Path, layout: Layout, most: int = 20) -> list[str]:
    """The columns of the first rows, with those inside objects: what can be asked for."""
    asked = _everything(layout)
    return list(
        dict.fromkeys(name for _, (_, row) in zip(range(most), read(path, asked), strict=False) for name in row)
    )


def sheets(path: Path) -> list[str]:
    """The names of the sheets of a workbook that are seen; none of any other file."""
    if text_files.ending(path) not in EXCEL:
        return []
    encodings.refuse_other_formats(path)
    found: list[str] = import_module("harness.datasets.spreadsheets").names(path)
    return found


def beginning(path: Path, layout: Layout, most: int = 20) -> list[tuple[int, list[str]]]:
    """The first records of a table whose first one may be no header: the number of the line or row, and its cells."""
    text_files.check(path)
    encodings.refuse_other_formats(path)
    if text_files.ending(path) in EXCEL:
        records = import_module("harness.datasets.spreadsheets").read(path, layout.sheet, Notes())
    else:
        records = delimited.beginning(path, layout, most)
    return [(headers.number(where), [str(cell or "") for cell in cells]) for where, cells in islice(records, most)]


def _refuse_unfit(path: Path, layout: Layout) -> None:
    """Raise `DatasetError` for a part of the layout that no file of this format has."""
    suffix = text_files.ending(path)
    if layout.sheet is not None and suffix not in EXCEL:
        raise DatasetError(f"{path}: --sheet is for Excel workbooks ({', '.join(EXCEL)}), and this is none")
    if layout.header is not None and suffix not in (*DELIMITED, *EXCEL, TEXT):
        raise DatasetError(f"{path}: --header is for CSV, TSV and Excel; this format has no header line")
    if layout.header is not None and layout.columns:
        raise DatasetError("--header says which line names the columns, and --columns that none does; give one of them")


def _rows(path: Path, layout: Layout, notes: Notes) -> Iterator[Row]:
    suffix = text_files.ending(path)
    is_packed = path.suffix.lower() == text_files.GZIP
    if suffix in DELIMITED or (suffix == TEXT and (layout.separator or layout.columns)):
        return headers.rows(delimited.read(path, layout, notes), path, layout, notes)
    if suffix in JSON:
        return json_files.read(path, layout, notes)
    if suffix == TEXT and fasttext.is_fasttext(path, layout):
        return fasttext.read(path, layout)
    if suffix in EXCEL and not is_packed:
        # Imported when it is needed: few files are Excel's.
        records = import_module("harness.datasets.spreadsheets").read(path, layout.sheet, notes)
        return headers.rows(records, path, layout, notes)
    if suffix == PARQUET and not is_packed:
        # Imported when it is needed: it loads a database engine.
        rows: Iterator[Row] = import_module("harness.datasets.parquet").read(path)
        return rows
    if suffix == TEXT:
        raise DatasetError(
            f"{path}: a .txt file is read when its lines begin with __label__NAME (fastText), or with --separator; "
            "name a table by its format, such as .csv"
        )
    raise DatasetError(f"{path}: the ending says no format; {one_of(''.join(path.suffixes[-2:]), FORMATS)}")


def _without_nul(rows: Iterator[Row], notes: Notes) -> Iterator[Row]:
    """The rows without NUL characters, which JSON and Parquet can hold, and no text file: a version is one."""
    for where, row in rows:
        if any("\x00" in part for cell in row.values() if cell for part in ([cell] if isinstance(cell, str) else cell)):
            row = {name: _cleared(cell) for name, cell in row.items()}  # noqa: PLW2901  (the same row, mended)
            notes.add("repaired", "rows with NUL characters, which were taken out", where)
        yield where, row


def _cleared(cell: cells.Cell) -> cells.Cell:
    return [part.replace("\x00", "") for part in cell] if isinstance(cell, list) else cell and cell.replace("\x00", "")


def _opened(rows: Iterator[Row], layout: Layout) -> Iterator[Row]:
    for where, row in rows:
        shown = nesting.opened(row, layout.wanted, every=layout.open_all)
        yield where, {name: cells.spelt(value) for name, value in shown.items()}


def _everything(layout: Layout) -> Layout:
    return replace(layout, wanted=(), open_all=True)

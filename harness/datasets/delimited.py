"""CSV and its kin: which character stands between cells, whether cells are quoted, and the records."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from harness.datasets import headers, text_files
from harness.datasets.layouts import SEPARATORS, column_name
from harness.errors import DatasetError
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.datasets.layouts import Layout
    from harness.datasets.notes import Notes

Record = tuple[str, list[str]]
"""Where a record begins, and its cells."""
SNIFFED_LINES = 200
SNIFFED_CHARS = 262_144
DECLARED = "sep="


def read(path: Path, layout: Layout, notes: Notes) -> Iterator[Record]:
    """The records of a file; what stands between cells is told, declared, or found out by the first lines.

    The separator is, in this order: `layout.separator`; what a first line `sep=;` (Excel's) declares;
    a tab for .tsv; else the one of comma, semicolon, tab and pipe that gives the wanted columns, or
    every record the same number of cells. A .tsv may be written without quoting: see `is_quoted`.
    """
    first = next(text_files.lines(path, layout.encoding), "")
    declared = first.strip("\ufeff\r\n ")
    skipped = 1 if declared.lower().startswith(DECLARED) and len(declared) == len(DECLARED) + 1 else 0
    is_declared = bool(skipped)
    above = (layout.header or 1) - 1 - skipped
    if above > 0:
        notes.add("left out", headers.ABOVE, f"{path}:{skipped + 1}", n=above)
        skipped += above
    is_tsv = text_files.ending(path) == ".tsv"
    if layout.separator is not None:
        separator = layout.separator
    elif is_declared:
        separator = declared[-1]
    else:
        separator = "\t" if is_tsv else sniffed(_beginning(path, layout, skipped), layout)
    if is_tsv and layout.separator is None and not is_quoted(_after(path, layout, skipped), separator):
        yield from _unquoted(path, layout, skipped, separator, notes)
        return
    name = str(path)  # a path is slow to spell, and there may be a million rows
    for start, end, cells in records(_after(path, layout, skipped), separator, path, skipped):
        where = f"{name}:{start}"
        if end > start:
            notes.add("noticed", "records that span several lines", where, f"it ends at line {end}")
        yield where, cells


def beginning(path: Path, layout: Layout, most: int) -> Iterator[Record]:
    """The first lines as records, each with the separator that those from it on speak for."""
    lines = _beginning(path, layout, 0)
    for number in range(min(most, len(lines))):
        separator = layout.separator or ("\t" if text_files.ending(path) == ".tsv" else sniffed(lines[number:], layout))
        for cells in _loosely(lines[number : number + 1], separator):
            yield f"{path}:{number + 1}", cells


def under_header(
    rows: Iterable[Record], path: Path, named: Callable[[str], str] = str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each record begins, and its cells by column; the first record is the header. Raises `DatasetError`."""
    names: list[str] = []
    for where, cells in rows:
        if not names:
            names = [named(cell) for cell in cells]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise DatasetError(f"{where}: {headers.named_twice(twice[0])}")
        elif len(cells) != len(names):
            header = f"the header has {formatting.plural(len(names), 'column')}"
            raise DatasetError(f"{where}: {headers.uneven(len(cells), len(names), header)}")
        else:
            yield where, dict(zip(names, cells, strict=True))
    if not names:
        raise DatasetError(f"{path}: the file is empty; expected a header line")


def records(lines: Iterable[str], separator: str, path: Path, skipped: int = 0) -> Iterator[tuple[int, int, list[str]]]:
    """The records with the numbers of their first and last line; quoting is strict. Raises `DatasetError`."""
    csv.field_size_limit(text_files.MAX_CELL_CHARS)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start + skipped, reader.line_num + skipped, cells
            start = reader.line_num + 1
    except csv.Error as error:
        where = f"{path}:{start + skipped}"
        if "field larger" in str(error):
            raise DatasetError(
                f"{where}: a cell is longer than {text_files.MAX_CELL_CHARS:,} characters; "
                "is there a quotation mark without its partner?"
            ) from None
        if "unexpected end" in str(error):
            raise DatasetError(f"{where}: a quotation mark opens a cell there and has no partner") from None
        raise DatasetError(f"{where}: {error}; expected CSV with doubled quotes") from None


def sniffed(beginning: Sequence[str], layout: Layout) -> str:
    """The separator that the beginning of a file speaks for; a comma where nothing speaks for another."""
    fits = {}
    for separator in SEPARATORS.values():
        rows = [row for row in _loosely(beginning, separator) if row]
        rows = rows[:-1] if len(rows) > 2 else rows  # the last one may be cut off
        if not rows or len(rows[0]) < 2:
            continue
        names = {column_name(name) for name in rows[0]}
        has_wanted = bool(layout.wanted) and all(name in names for name in layout.wanted)
        if layout.columns:
            has_wanted = len(rows[0]) == len(layout.columns)
        is_even = all(len(row) == len(rows[0]) or not any(row[len(rows[0]) :]) for row in rows[1:])
        is_even = is_even and all(len(row) >= len(rows[0]) for row in rows)
        fits[separator] = (has_wanted, is_even, separator == "," and is_even, len(rows[0]))
    usable = {separator: fit for separator, fit in fits.items() if fit[0] or fit[1]}
    return max(usable, key=lambda separator: usable[separator]) if usable else ","


def is_quoted(lines: Iterable[str], separator: str) -> bool:
    """Whether quotation marks quote, in a file that has one separator between two cells.

    They do not when every line by itself has the same number of cells and some quotation mark opens
    or ends no cell: then they belong to the texts.
    """
    n, is_odd = 0, False
    for line in lines:
        body = line.rstrip("\r\n")
        if not body:
            continue
        cells = body.split(separator)
        n = n or len(cells)
        if len(cells) != n or n < 2:
            return True
        is_odd = is_odd or ('"' in body and not all(map(_is_well_quoted, cells)))
    return not is_odd


def _is_well_quoted(cell: str) -> bool:
    if '"' not in cell:
        return True
    return len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "")


def _unquoted(path: Path, layout: Layout, skipped: int, separator: str, notes: Notes) -> Iterator[Record]:
    for number, line in enumerate(_after(path, layout, skipped), start=1 + skipped):
        body = line.rstrip("\r\n")
        if body:
            where, cells = f"{path}:{number}", body.split(separator)
            if '"' in body:
                notes.add("noticed", "lines whose quotation marks quote nothing and were kept", where)
            if any(len(cell) > text_files.MAX_CELL_CHARS for cell in cells):
                raise DatasetError(f"{where}: a cell is longer than {text_files.MAX_CELL_CHARS:,} characters")
            yield where, cells


def _loosely(lines: Sequence[str], separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        return []


def _beginning(path: Path, layout: Layout, skipped: int) -> list[str]:
    """The first lines, as many as it takes to see what they have in common."""
    taken, size = [], 0
    for line in _after(path, layout, skipped):
        taken.append(line)
        size += len(line)
        if len(taken) >= SNIFFED_LINES or size > SNIFFED_CHARS:
            break
    return taken


def _after(path: Path, layout: Layout, skipped: int) -> Iterator[str]:
    lines = text_files.lines(path, layout.encoding)
    for _ in range(skipped):
        next(lines, None)
    return lines

"""Records under a header: each becomes a row of cells by column name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.datasets import text_files
from harness.datasets.layouts import column_name
from harness.errors import DatasetError
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.datasets.cells import Cell
    from harness.datasets.layouts import Layout
    from harness.datasets.notes import Notes

SHEETS = (".xlsx", ".xlsm")
BLANK_ROWS = "rows in which every cell is empty"
UNNAMED = "columns without a name"
ABOVE = "lines above the header"
NUMBER = re.compile(r"\d+\Z")


class NotTheHeader(DatasetError):
    """What names the columns cannot, or not these: it is perhaps a title, and the header stands below it."""


def rows(
    records: Iterable[tuple[str, Sequence[Cell]]], path: Path, layout: Layout, notes: Notes
) -> Iterator[tuple[str, dict[str, Cell]]]:
    """The records as rows. The first one names the columns, unless `layout.columns` does.

    Columns without a name and rows without a cell are left out; empty cells behind the last column
    are no cells. Raises `NotTheHeader` for a name that stands twice and for a record of another length.
    """
    names = list(layout.columns)
    n, has_unnamed = len(names), "" in names
    for where, cells in _from_header(records, layout.header, path, notes):
        if not names:
            names = [column_name(str(cell or "")) for cell in cells]
            _check(names, where, notes)
            n, has_unnamed = len(names), "" in names
            continue
        if len(cells) > n and not any(cells[n:]):
            cells = cells[:n]  # noqa: PLW2901  (the same record, without what is not there)
        if not any(cells):
            notes.add("left out", BLANK_ROWS, where)
        elif len(cells) != n:
            raise _uneven(where, len(cells), n, path, layout)
        else:
            row = dict(zip(names, cells, strict=True))
            if has_unnamed:
                del row[""]
            yield where, row
    if not names:
        what = "the file" if layout.sheet is None else f"sheet {layout.sheet!r}"
        raise DatasetError(f"{path}: {what} is empty; expected a header line")


def number(where: str) -> int:
    """The number of the line or row that a place names."""
    found = NUMBER.search(where)
    return int(found.group()) if found else 0


def _from_header(
    records: Iterable[tuple[str, Sequence[Cell]]], header: int | None, path: Path, notes: Notes
) -> Iterator[tuple[str, Sequence[Cell]]]:
    """The records from the one that begins at line or row `header`; raises `DatasetError` where none does."""
    if header is None:
        yield from records
        return
    is_found = False
    for where, cells in records:
        at = number(where)
        if at < header:
            notes.add("left out", ABOVE, where)
        elif not is_found and at != header:
            break
        else:
            is_found = True
            yield where, cells
    if not is_found:
        raise DatasetError(f"{path}: line {header:,} is empty or there is none; --header is the number of the header's")


def _uneven(where: str, n_cells: int, n_names: int, path: Path, layout: Layout) -> DatasetError:
    header = f"the header has {formatting.plural(n_names, 'column')}"
    expected = f"--columns names {n_names}" if layout.columns else header
    is_sheet = text_files.ending(path) in SHEETS
    return NotTheHeader(f"{where}: {uneven(n_cells, n_names, expected, is_sheet=is_sheet)}")


def uneven(n_cells: int, n_names: int, expected: str, *, is_sheet: bool = False) -> str:
    """What is wrong with a record of another length than the header, and what it mostly comes from."""
    if is_sheet:
        cause = "take out what stands beside the table, or say with --header N which row names its columns"
    elif n_names == 1:
        cause = "where lines stand before the header, --header N says which line it is"
    elif n_cells > n_names:
        cause = "a cell that holds the separator has to stand in quotation marks"
    else:
        cause = "is the line cut off?"
    return f"{formatting.plural(n_cells, 'cell')}; {expected}: {cause}"


def _check(names: list[str], where: str, notes: Notes) -> None:
    named = [name for name in names if name]
    if not named:
        raise NotTheHeader(f"{where}: the header line names no column")
    twice = sorted({name for name in named if names.count(name) > 1})
    if twice:
        raise NotTheHeader(f"{where}: {named_twice(twice[0])}")
    if len(named) < len(names):
        notes.add("left out", UNNAMED, where, n=len(names) - len(named))


def named_twice(name: str) -> str:
    """What is wrong with a header that has a name twice."""
    return f"the header names {name!r} twice; give one of the columns another name in the file"

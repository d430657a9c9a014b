"""Records under a header: each becomes a row of cells by column name."""

from __future__ import annotations

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


def rows(
    records: Iterable[tuple[str, Sequence[Cell]]], path: Path, layout: Layout, notes: Notes
) -> Iterator[tuple[str, dict[str, Cell]]]:
    """The records as rows. The first one names the columns, unless `layout.columns` does.

    Columns without a name and rows without a cell are left out; empty cells behind the last column
    are no cells. Raises `DatasetError` for a name that stands twice and for a record of another length.
    """
    names = list(layout.columns)
    n, has_unnamed = len(names), "" in names
    for where, cells in records:
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
            is_sheet = text_files.ending(path) in SHEETS
            raise DatasetError(f"{where}: {uneven(len(cells), n, _expected(n, layout), is_sheet=is_sheet)}")
        else:
            row = dict(zip(names, cells, strict=True))
            if has_unnamed:
                del row[""]
            yield where, row
    if not names:
        raise DatasetError(f"{path}: the file is empty; expected a header line")


def _expected(n: int, layout: Layout) -> str:
    return f"--columns names {n}" if layout.columns else f"the header has {formatting.plural(n, 'column')}"


def uneven(n_cells: int, n_names: int, expected: str, *, is_sheet: bool = False) -> str:
    """What is wrong with a record of another length than the header, and what it mostly comes from."""
    if is_sheet:
        cause = "take out what stands above the header, or beside the table; a column that counts has a name"
    elif n_names == 1:
        cause = "where lines stand before the header, take them out"
    elif n_cells > n_names:
        cause = "a cell that holds the separator has to stand in quotation marks"
    else:
        cause = "is the line cut off?"
    return f"{formatting.plural(n_cells, 'cell')}; {expected}: {cause}"


def _check(names: list[str], where: str, notes: Notes) -> None:
    named = [name for name in names if name]
    if not named:
        raise DatasetError(f"{where}: the header line names no column")
    twice = sorted({name for name in named if names.count(name) > 1})
    if twice:
        raise DatasetError(f"{where}: {named_twice(twice[0])}")
    if len(named) < len(names):
        notes.add("left out", UNNAMED, where, n=len(names) - len(named))


def named_twice(name: str) -> str:
    """What is wrong with a header that has a name twice."""
    return f"the header names {name!r} twice; give one of the columns another name in the file"

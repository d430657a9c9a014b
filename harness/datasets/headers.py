"""Records under a header: each becomes a row of cells by column name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.layouts import column_name
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.datasets.cells import Cell
    from harness.datasets.layouts import Layout
    from harness.datasets.notes import Notes

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
    for where, cells in records:
        if not names:
            names = [column_name(str(cell or "")) for cell in cells]
            _check(names, where, notes)
            continue
        if len(cells) != len(names) and not any(cells[len(names) :]) and len(cells) > len(names):
            cells = cells[: len(names)]  # noqa: PLW2901  (the same record, without what is not there)
        if not any(cells):
            notes.add("left out", BLANK_ROWS, where)
        elif len(cells) != len(names):
            raise DatasetError(f"{where}: {len(cells)} cells; {_expected(len(names), layout)}")
        else:
            row = dict(zip(names, cells, strict=True))
            row.pop("", None)
            yield where, row
    if not names:
        raise DatasetError(f"{path}: the file is empty; expected a header line")


def _expected(n: int, layout: Layout) -> str:
    return f"--columns names {n}" if layout.columns else f"the header has {n} columns"


def _check(names: list[str], where: str, notes: Notes) -> None:
    named = [name for name in names if name]
    if not named:
        raise DatasetError(f"{where}: the header line names no column")
    twice = sorted({name for name in named if names.count(name) > 1})
    if twice:
        raise DatasetError(f"{where}: the header names {twice[0]!r} twice")
    if len(named) < len(names):
        notes.add("left out", UNNAMED, where, n=len(names) - len(named))

"""Groups of subcommands, and the small tables they print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from harness.app.commands import _console
from harness.report import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[str] = ()) -> None:
    """A plain table on stdout; numeric columns are set to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    cells = [tuple(row) for row in rows]
    for i, name in enumerate(columns):
        terminal.add_column(table, name, [row[i] for row in cells], is_number=name in numeric)
    for row in cells:
        table.add_row(*row)
    terminal.print_on(_console.stdout(), table)

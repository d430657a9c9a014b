"""Sections on the terminal, as rich renderables; printing them is the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table as RichTable
from rich.text import Text as RichText

from harness.report.blocks import Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType

    from harness.report.blocks import Block, Section

LEAST_NAME = 12
STYLES = {"plain": "", "verdict": "bold", "warning": "yellow", "quiet": "dim"}


def print_on(console: Console, drawn: RenderableType) -> None:
    """Print a part; a table whose columns do not fit is wider than the screen, and not broken letter by letter."""
    needed = 0
    if isinstance(drawn, RichTable):
        blanks = drawn.padding[1] + drawn.padding[3]
        needed = sum((column.min_width or 1) + blanks for column in drawn.columns) + len(drawn.columns) - 1
    if needed > console.width:
        console.print(drawn, width=needed, crop=False)
    else:
        console.print(drawn)


def add_column(table: RichTable, title: str | RichText, cells: Iterable[str], *, is_number: bool) -> None:
    """Add a column: a number never breaks, a name not below `LEAST_NAME` characters a line."""
    heading = title.plain if isinstance(title, RichText) else title
    longest = max((cell_len(line) for text in (heading, *cells) for line in text.splitlines()), default=1)
    table.add_column(
        title,
        justify="right" if is_number else "left",
        overflow="fold",
        no_wrap=is_number,
        vertical="bottom",
        min_width=longest if is_number else min(longest, LEAST_NAME),
    )


def render(section: Section) -> list[RenderableType]:
    """A section's blocks, drawn for a terminal of 80 columns or more."""
    return [drawn for block in section.blocks if (drawn := _block(block)) is not None]


def _block(block: Block) -> RenderableType | None:
    if isinstance(block, Text):
        # A RichText takes no markup, so what a dataset or a model says is shown as it is.
        return RichText(_visible(block.text), style=STYLES[block.tone])
    if isinstance(block, Table):
        return _table(block)
    return None  # figures, prompts and the explorer are for the page


def _table(block: Table) -> RichTable:
    # One blank between columns where there are many, and titles broken into words: the scorecard has to fit 80 columns.
    is_wide = len(block.columns) > 7
    table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 0 if is_wide else 1), header_style="bold")
    for i, column in enumerate(block.columns):
        title = "\n".join(column.title.rsplit(" ", 1)) if is_wide and i else column.title
        cells = [_visible(row[i]) for row in block.rows]
        add_column(table, RichText(title), cells, is_number=column.numeric)
    for row in block.rows:
        table.add_row(*(RichText(_visible(cell)) for cell in row))
    return table


def _visible(text: str) -> str:
    """The text without control characters, which could move the cursor or rewrite the screen."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)

"""Sections on the terminal, as rich renderables; printing them is the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table as RichTable
from rich.text import Text as RichText

from harness.report.blocks import Table, Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from harness.report.blocks import Block, Section

STYLES = {"plain": "", "verdict": "bold", "warning": "yellow", "quiet": "dim"}


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
        # Numbers never break; what does not fit is taken from the names and texts.
        table.add_column(
            RichText(title),
            justify="right" if column.numeric else "left",
            overflow="fold",
            no_wrap=column.numeric,
            vertical="bottom",
        )
    for row in block.rows:
        table.add_row(*(RichText(_visible(cell)) for cell in row))
    return table


def _visible(text: str) -> str:
    """The text without control characters, which could move the cursor or rewrite the screen."""
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)

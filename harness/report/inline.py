"""Sections where there is no page: as plain text for `print`, as a piece of HTML for a notebook cell."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING

from rich.console import Console

from harness.report import terminal
from harness.report.blocks import Figure, Table, Text

if TYPE_CHECKING:
    from harness.report.blocks import Block, Section

WIDTH = 100


def text(section: Section) -> str:
    """What a terminal would show, without colours."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    for part in terminal.render(section):
        terminal.print_on(console, part)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def page(section: Section) -> str:
    """The blocks as HTML, everything escaped."""
    return "\n".join(_html(block) for block in section.blocks)


def _html(block: Block) -> str:
    if isinstance(block, Text):
        said = html.escape(block.text)
        return f"<p><strong>{said}</strong></p>" if block.tone == "verdict" else f"<p>{said}</p>"
    if isinstance(block, Table):
        heads = "".join(f"<th>{html.escape(column.title)}</th>" for column in block.columns)
        rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in block.rows)
        return f"<table><tr>{heads}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    assert isinstance(block, Figure)
    return f"<p><em>{html.escape(block.alt)}</em></p>"

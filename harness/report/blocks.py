"""What a section of a report is made of; terminal, Markdown and HTML draw the same blocks.

Sections only fill blocks in; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph of plain text; renderers escape it. `tone` sets a verdict or a warning apart."""

    text: str
    tone: Literal["plain", "verdict", "warning", "quiet"] = "plain"


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column: its heading, and how its cells are set."""

    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of printed cells under columns. Cells are text, escaped by the renderer."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A named figure: `draw` in `report.figures` turns `name` and the results into SVG.

    `alt` says in words what the figure shows.
    """

    name: str
    alt: str
    caption: str = ""


Block = Text | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: tuple[Block, ...]

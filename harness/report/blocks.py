"""What a section of a report is made of; terminal, Markdown and HTML draw the same blocks.

Sections only fill blocks in; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    """Rows of printed cells under columns. Cells are text, escaped by the renderer.

    `links` are addresses of our own pages, one a row, for its first cell; only HTML follows them. `sql` is one line
    that gives the numbers again from the store (`queries.line`).
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    sql: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A named figure: a file of `report/figures` draws it.

    `alt` says in words what the figure shows.
    """

    name: str
    alt: str
    caption: str = ""
    sql: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A text that keeps its lines, folded under its title: a prompt, or the difference of two (`is_diff`)."""

    title: str
    text: str
    is_diff: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """Every item with every arm's answer, as columns: `explorer.js` reads it, and says what it holds."""

    columns: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Links:
    """Places to go from here: what is said, and the address of one of our own pages."""

    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Field:
    """An input of a form. Without `choices` (value and words of each) it is free text."""

    name: str
    title: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """Fields that ask one of our own pages again."""

    action: str
    fields: tuple[Field, ...]
    hidden: tuple[tuple[str, str], ...] = ()


Block = Text | Table | Figure | Code | Items | Links | Form


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: tuple[Block, ...]

"""Sections as GitHub-flavoured Markdown. Every cell and paragraph is escaped."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from harness.report.blocks import Figure, Table, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.blocks import Block, Section

SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


def render(title: str, sections: Sequence[Section]) -> str:
    """One document."""
    parts = [f"# {escaped(title)}"]
    for section in sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """The text on one line, with nothing in it that Markdown or HTML would act on."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return SPECIAL.sub(r"\\\1", html.escape(line, quote=False))


def _block(block: Block) -> str:
    if isinstance(block, Text):
        text = escaped(block.text)
        return {"verdict": f"**{text}**", "warning": f"> {text}"}.get(block.tone, text)
    if isinstance(block, Table):
        return table(block)
    assert isinstance(block, Figure)
    return f"![{escaped(block.alt)}]({block.name}.svg)\n\n{escaped(block.caption)}"


def table(block: Table) -> str:
    """A table, its cells escaped."""
    lines = [
        [column.title for column in block.columns],
        ["--:" if column.numeric else ":--" for column in block.columns],
        *block.rows,
    ]
    drawn = [f"| {' | '.join(cells if i == 1 else map(escaped, cells))} |" for i, cells in enumerate(lines)]
    return "\n".join(drawn) + (f"\n\n{escaped(block.caption)}" if block.caption else "")

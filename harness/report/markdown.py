"""Sections as GitHub-flavoured Markdown. Every cell and paragraph is escaped."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from harness.report import queries
from harness.report.blocks import Code, Figure, Items, Table, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.blocks import Block, Section

BACKTICKS = re.compile(r"`+")
SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


def render(title: str, sections: Sequence[Section]) -> str:
    """One document."""
    parts = [f"# {escaped(title)}"]
    for section in sections:
        parts.append(f"## {escaped(section.title)}")
        parts += [render_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """The text on one line, with nothing in it that Markdown or HTML would act on."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return SPECIAL.sub(r"\\\1", html.escape(line, quote=False))


def render_block(block: Block) -> str:
    """One block of a document."""
    if isinstance(block, Text):
        text = escaped(block.text)
        return {"verdict": f"**{text}**", "warning": f"> {text}"}.get(block.tone, text)
    if isinstance(block, Table):
        return table(block)
    if isinstance(block, Code):
        return _folded(block.title, fenced(block.text, "diff" if block.is_diff else "text"))
    if isinstance(block, Items):
        return "Every item with every arm's answer is in the HTML page beside this file."
    if not isinstance(block, Figure):
        return ""  # links and forms are of the served pages alone
    picture = f"![{escaped(block.alt)}]({block.name}.svg)\n\n{escaped(block.caption)}"
    return f"{picture}\n\n{_sql(block.sql)}" if block.sql else picture


def _sql(sql: str) -> str:
    return _folded("SQL that gives these numbers", fenced(queries.command(sql), "sh"))


def _folded(title: str, content: str) -> str:
    """Content that opens on demand; GitHub draws it, other readers show it open."""
    return f"<details><summary>{escaped(title)}</summary>\n\n{content}\n\n</details>"


def fenced(text: str, language: str) -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = ("".join(char if char.isprintable() or char == "\t" else " " for char in one) for one in text.splitlines())
    return f"{fence}{language}\n" + "\n".join(lines) + f"\n{fence}"


def table(block: Table) -> str:
    """A table, its cells escaped."""
    lines = [
        [column.title for column in block.columns],
        ["--:" if column.numeric else ":--" for column in block.columns],
        *block.rows,
    ]
    drawn = [f"| {' | '.join(cells if i == 1 else map(escaped, cells))} |" for i, cells in enumerate(lines)]
    parts = ["\n".join(drawn)]
    if block.caption:
        parts.append(escaped(block.caption))
    if block.sql:
        parts.append(_sql(block.sql))
    return "\n\n".join(parts)

"""The line of SQL that stands under a table or a figure: a macro of the store, short enough to type."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from harness.store.statements import literal

if TYPE_CHECKING:
    from harness.analysis.results import Results

PLAIN = re.compile(r'[^"$`\\!]*')  # what double quotes of a shell leave alone


def line(results: Results, macro: str, rest: str = "") -> str:
    """The rows of a macro (see `store.macros`) for this split; empty for results that are not what the macros give.

    They give what the store itself selects, all of its items; a report of one run of another standing, or of some of
    very many items, has no line.
    """
    if not results.is_standing or results.split.subsample_of:
        return ""
    split = results.split
    return f"from {macro}({literal(split.dataset)}, {literal(split.name)}) {rest}".strip()


def command(sql: str) -> str:
    """The query as a command that a shell takes."""
    one_line = " ".join(sql.split())
    return f'harness sql "{one_line}"' if PLAIN.fullmatch(one_line) else f"harness sql {shlex.quote(one_line)}"

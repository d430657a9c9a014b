"""Cells that a spreadsheet takes for text and never for a formula: the one rule for every table that goes out.

A guarded cell begins with a quote, which spreadsheets do not show. A text that begins with quotes and would
be a formula behind them gets one more, so that `unguarded` gives back exactly what was guarded.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STARTS = "=+-@\t\r\n\x00＝＋－＠"
"""What a formula begins with: OWASP's list, with the full-width forms that some spreadsheets read as the others."""

_FORMULA = re.compile(f"'*[{re.escape(STARTS)}]")


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula (OWASP ASVS 5.0, 1.2.10)."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that was guarded."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


class Rows:
    """Writes the rows of a CSV file, each ended by a line feed, as every reader gives them back.

    A carriage return by itself ends a line for readers, and before Python 3.13 it is no reason to quote its cell.
    """

    def __init__(self, file: TextIO) -> None:
        self._plain = csv.writer(file, lineterminator="\n")
        self._quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(self, cells: Sequence[object]) -> None:
        """Write a row."""
        has_return = "\r" in "".join(map(str, cells))
        (self._quoting if has_return else self._plain).writerow(cells)

    def write_all(self, rows: Iterable[Sequence[object]]) -> None:
        """Write one row after the other."""
        for row in rows:
            self.write(row)

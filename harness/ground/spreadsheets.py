"""Cells that a spreadsheet takes for text and never for a formula: the one rule for every table that goes out.

A guarded cell begins with a quote, which spreadsheets do not show. A text that begins with quotes and would
be a formula behind them gets one more, so that `unguarded` gives back exactly what was guarded.
"""

from __future__ import annotations

import re

STARTS = "=+-@\t\r\n\x00＝＋－＠"
"""What a formula begins with: OWASP's list, with the full-width forms that some spreadsheets read as the others."""

_FORMULA = re.compile(f"'*[{re.escape(STARTS)}]")


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula (OWASP ASVS 5.0, 1.2.10)."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that was guarded."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell

"""One spelling for every value a file may hold: text, numbers, truth values, lists, and what is missing."""

from __future__ import annotations

import json
import math
from decimal import Decimal

Cell = str | list[str] | None
"""A cell as it is read: a text, a list of texts, or nothing."""

EXACT_BELOW = 1e15  # whole numbers that a double holds exactly, and people write without an exponent
MISSING = frozenset({"NaN", "#N/A", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "<NA>"})
"""Texts that programs write where there is no value (pandas, Excel), and nobody writes as a word."""


def spelt(value: object) -> Cell:
    """The cell of a typed value.

    A truth value is `true` or `false`, a whole number has no `.0`, NaN is nothing, a list of simple
    values is a list of texts without the missing ones, and anything deeper is JSON text.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, list | tuple) and not any(isinstance(part, dict | list | tuple) for part in value):
        parts = (spelt(part) for part in value)
        return [part for part in parts if isinstance(part, str)]
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


def is_missing(cell: Cell) -> bool:
    """Whether a cell says nothing: none, only blanks, or a program's word for a missing value."""
    if not isinstance(cell, str):
        return not cell
    said = cell.strip()
    return not said or said in MISSING


def _number(value: float | Decimal) -> str | None:
    number = float(value)
    if math.isnan(number):
        return None
    if number.is_integer() and abs(number) < EXACT_BELOW:
        return str(int(number))
    return str(value)

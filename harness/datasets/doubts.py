"""Columns of labels that are probably none: a label for every row, dates, numbers. Said, never refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENOUGH = 10  # rows, before anything is said of a column
MOST_DISTINCT = 0.5  # labels for a row
MOST_NUMBERS = 20  # different whole numbers that may be classes
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}.*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})( \d{1,2}:\d{2}.*)?"
)
TOTALS = frozenset({"total", "totals", "grand total", "subtotal", "sum", "sum total", "summe", "gesamt"})
NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")


def is_total(text: object) -> bool:
    """Whether a text is the word that stands below a column of numbers."""
    return isinstance(text, str) and len(text) < 20 and text.strip(" :").casefold() in TOTALS


def of_labels(counts: Mapping[str, int]) -> str | None:
    """Why the labels of a column, with their numbers of rows, are perhaps no classes; None: nothing says so."""
    n, different = sum(counts.values()), len(counts)
    if n < ENOUGH or different < 2:
        return None
    if all(DATE.fullmatch(label) for label in counts):
        return "labels that are dates, so this is perhaps not the column of labels"
    numbers = [found for label in counts if (found := NUMBER.fullmatch(label))]
    if len(numbers) == different and (different > MOST_NUMBERS or any(found.group(1) for found in numbers)):
        return (
            "labels that are numbers; where they are amounts, not names of classes, give --kind score --range LOW HIGH"
        )
    if different > MOST_DISTINCT * n:
        return f"rows with {different:,} different labels, so this is perhaps not the column of labels"
    return None

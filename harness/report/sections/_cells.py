"""Cells that several sections print: an arm's name, a text cut short, an estimate from a query's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report import queries
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.results import Results

LONGEST_TEXT = 140


def short(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text on one line, cut where it is too long."""
    return formatting.one_line(text, longest)


def texts(results: Results) -> dict[str, str]:
    """Every item's text with its tags, by id; empty when there are too many items to show."""
    if results.items is None:
        return {}
    rows = zip(results.items["example_id"], results.items["text"], results.items["tags"], strict=True)
    return {str(i): with_tags(text, tags) for i, text, tags in rows}


def with_tags(text: object, tags: object) -> str:
    """An item's text, its tags in brackets behind."""
    listed = [] if formatting.is_missing(tags) else [str(tag) for tag in tags]  # type: ignore[attr-defined]
    return str(text) + (f" [{', '.join(listed)}]" if listed else "")


def estimate(record: Mapping[str, object], value: str) -> Estimate:
    """A query's value, low and high as an estimate."""
    found, low, high = (queries.number(record, name) for name in (value, "low", "high"))
    # The formula gives 0 and 1 at the ends up to rounding, and a share never leaves them.
    low, high = (end if end is None else min(1.0, max(0.0, end)) for end in (low, high))
    return Estimate(value, found, low, high, queries.whole(record, "n"), "Wilson")

"""Cells that several sections print: an arm's name, a text cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting

if TYPE_CHECKING:
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

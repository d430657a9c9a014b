"""Cells that several sections print: an arm's name, a text cut short."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.results import Results
    from harness.datasets.task import Task
    from harness.report.blocks import Column

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


def worded(columns: Sequence[Column], task: Task) -> tuple[Column, ...]:
    """Our own columns, headed by the name of the task's headline metric where they speak of accuracy."""
    said = wording.of_headline(task)
    return tuple(replace(one, title=said.say(one.title)) for one in columns)

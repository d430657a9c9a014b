"""Tags that repeat the text of their own item: what looks like two sources is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.equality import normal_form
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

FOUND = _rows.Said(
    Severity.NOTE,
    "have their text among their tags",
    "leave it out of the tags, or an arm that reads tags alone reads the text as well",
)


def check(subject: Subject) -> list[Finding]:
    """The rows with a tag that says what the text says."""
    rows = [
        row
        for row, example in enumerate(subject.dataset.examples)
        if example.item.tags and normal_form(example.item.text) in map(normal_form, example.item.tags)
    ]
    return _rows.finding(subject, rows, FOUND, [shown(subject.texts[row]) for row in rows])

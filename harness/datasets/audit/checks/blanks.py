"""Blanks at the edges of a text, and line breaks inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

EDGES = _rows.Said(
    Severity.WARNING,
    "begin or end with a blank",
    "they pass exact comparison as other texts; strip them in the source, or with --edits: "
    "harness dataset new-version {ref} --to VERSION --edits FILE",
)
BREAKS = _rows.Said(
    Severity.NOTE,
    "hold a line break",
    "nothing, if the texts have several lines; tools that read the file line by line will miscount",
)


def check(subject: Subject) -> list[Finding]:
    """The rows with blanks at an edge, and those with line breaks between their words."""
    texts = [example.item.text for example in subject.dataset.examples]
    edged = [row for row, text in enumerate(texts) if text[:1].isspace() or text[-1:].isspace()]
    broken = [row for row, text in enumerate(texts) if "\n" in text or "\r" in text]
    return [
        *_rows.finding(subject, edged, EDGES, [f"{shown(texts[row])!r}" for row in edged]),
        *_rows.finding(subject, broken, BREAKS, [shown(texts[row]) for row in broken]),
    ]

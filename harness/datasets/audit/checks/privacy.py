"""Rows that may hold personal details: what is sent to a model provider leaves the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import PERSONAL, kinds_in

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

FOUND = _rows.Said(
    Severity.WARNING,
    "may hold personal details",
    "see whether they may be sent to a model provider and stand in a report; replace them in the source if not",
)


def check(subject: Subject) -> list[Finding]:
    """The rows with e-mail addresses, telephone, card and account numbers; the details are not shown."""
    kinds = {row: found for row, text in enumerate(subject.texts) if (found := kinds_in(text, PERSONAL))}
    return _rows.finding(subject, list(kinds), FOUND, [", ".join(found) for found in kinds.values()])

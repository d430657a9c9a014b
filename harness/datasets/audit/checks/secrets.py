"""Rows that hold keys, tokens or passwords. The secret itself is never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import SECRETS, kinds_in

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

FOUND = _rows.Said(
    Severity.ERROR,
    "hold what looks like a key, a token or a password",
    "revoke it, for it is in a file that is passed around; then replace it in the source and import anew",
)


def check(subject: Subject) -> list[Finding]:
    """The rows with secrets, by kind; fields beside the text are searched too."""
    kinds = {}
    for row, example in enumerate(subject.dataset.examples):
        found = kinds_in("\n".join((subject.texts[row], *example.item.fields.values())), SECRETS)
        if found:
            kinds[row] = found
    return _rows.finding(subject, list(kinds), FOUND, [", ".join(found) for found in kinds.values()])

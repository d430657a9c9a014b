"""Scored rows that stand in the training split too: exactly, but for case and blanks, or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _pairs
from harness.datasets.audit.equality import TRAIN
from harness.datasets.audit.findings import Severity

if TYPE_CHECKING:
    from harness.datasets.audit.findings import Finding
    from harness.datasets.audit.subject import Subject

SAID = _pairs.Said(
    Severity.ERROR,
    "an arm that learned them has seen the answer: the report shows accuracy without them; to keep them together, "
    "harness dataset new-version {ref} --to VERSION --group near-duplicates, then harness dataset split",
)


def check(subject: Subject) -> list[Finding]:
    """A finding per split that is scored: its rows that leak from the training split."""
    return [found for split in subject.scored_splits for found in _pairs.between(subject, TRAIN, split, SAID)]

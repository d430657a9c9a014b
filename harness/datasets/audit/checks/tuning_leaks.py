"""Test rows that stand in the dev split too: prompts and thresholds were chosen while looking at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _pairs
from harness.datasets.audit.findings import Severity

if TYPE_CHECKING:
    from harness.datasets.audit.findings import Finding
    from harness.datasets.audit.subject import Subject

SAID = _pairs.Said(
    Severity.WARNING,
    "what was tuned on dev looks a little better on test than it is; to keep such rows together, "
    "harness dataset new-version {ref} --to VERSION --group near-duplicates, then harness dataset split",
)


def check(subject: Subject) -> list[Finding]:
    """The rows of test that are the same as, or near, a row of dev."""
    return _pairs.between(subject, "dev", "test", SAID)

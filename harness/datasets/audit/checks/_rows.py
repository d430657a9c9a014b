"""Findings about single rows: how many there are, which they are, and what some of them look like."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, share_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.datasets.audit.findings import Severity
    from harness.datasets.audit.subject import Subject


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of some rows: how bad it is, the verb phrase after their number, and what to do."""

    severity: Severity
    what: str
    remedy: str


def finding(subject: Subject, rows: Sequence[int], said: Said, shown: Sequence[str]) -> list[Finding]:
    """One finding about these rows, each shown by the text beside it; nothing without rows."""
    if not rows:
        return []
    counts = Counter(subject.splits[row] for row in rows)
    where = ", ".join(f"{split} {counts[split]:,}" for split in subject.split_names if counts[split])
    return [
        Finding(
            said.severity,
            f"{share_of(len(rows), len(subject.texts))} rows {said.what} ({where})",
            said.remedy.format(ref=subject.dataset.ref),
            tuple(subject.ids[row] for row in rows),
            {**counts, "rows": len(rows)},
            Evidence(
                ("row", "split", "label", "what"),
                tuple(
                    (subject.ids[row], subject.splits[row], subject.labels[row], text)
                    for row, text in zip(rows[:SHOWN], shown[:SHOWN], strict=True)
                ),
            ),
        )
    ]

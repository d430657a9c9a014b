"""Labels with too few rows to be learned or scored, with the interval that so few rows leave."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.datasets.audit.equality import TRAIN
from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity
from harness.ground.formatting import plural
from harness.stats import intervals

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

NEEDS = ("classes",)
TOO_WIDE = 0.40  # of the 95% interval of a recall near one half: 20 rows have .39, 19 have .40
FEWEST_TRAIN = 5


def check(subject: Subject) -> list[Finding]:
    """Per split: the labels that are absent, and those with too few rows."""
    found = []
    for split, rows in subject.rows_of.items():
        counts = Counter(subject.labels[row] for row in rows)
        names = subject.dataset.label_names
        absent = [name for name in names if not counts[name]]
        few = sorted((name for name in names if counts[name] and _is_few(counts[name], split)), key=counts.__getitem__)
        found += _absent(subject, split, absent) + _few(subject, split, few, counts)
    return found


def _is_few(n: int, split: str) -> bool:
    if split == TRAIN:
        return n < FEWEST_TRAIN
    half = intervals.wilson(n // 2, n)
    assert half.low is not None
    assert half.high is not None
    return half.high - half.low > TOO_WIDE


def _absent(subject: Subject, split: str, absent: list[str]) -> list[Finding]:
    if not absent:
        return []
    consequence = "no arm can learn them" if split == TRAIN else "nothing is known about them"
    return [
        Finding(
            Severity.WARNING,
            f"{plural(len(absent), 'label')} of {len(subject.dataset.labels):,} never occur in {split}: {consequence}",
            "label more rows, or split anew with --stratify: harness dataset split",
            facts={f"absent from {split}": len(absent)},
            evidence=Evidence(("label",), tuple((name,) for name in absent[:SHOWN])),
        )
    ]


def _few(subject: Subject, split: str, few: list[str], counts: Counter[str]) -> list[Finding]:
    if not few:
        return []
    if split == TRAIN:
        message = f"{plural(len(few), 'label')} with fewer than {FEWEST_TRAIN} rows in {split}: too few to learn from"
    else:
        message = f"{plural(len(few), 'label')} with too few rows in {split} to be scored one by one"
    widest = "recall, if half were right"
    rows = [row for row in subject.rows_of[split] if subject.labels[row] in set(few)]
    return [
        Finding(
            Severity.WARNING,
            message,
            "read the score of all labels together, or label more rows of these: harness dataset sample",
            tuple(subject.ids[row] for row in rows),
            {f"few in {split}": len(few)},
            Evidence(
                ("label", "rows", widest),
                tuple((name, counts[name], intervals.wilson(counts[name] // 2, counts[name])) for name in few[:SHOWN]),
            ),
        )
    ]

"""Texts that stand more than once in a split: scores look surer than they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity, share_of
from harness.datasets.audit.patterns import shown
from harness.datasets.audit.subject import by_value

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

REMEDY = (
    "repeats are no new evidence: drop them, or give them a group so that splits and standard errors know: "
    "harness dataset new-version {ref} --to VERSION --group near-duplicates"
)


def check(subject: Subject) -> list[Finding]:
    """The rows that repeat an earlier row of their split, exactly or but for case and blanks."""
    facts: dict[str, int] = {}
    repeated: list[int] = []
    families: list[list[int]] = []
    for split, rows in subject.rows_of.items():
        alike = [family for family in by_value(subject.normalised, rows).values() if len(family) > 1]
        facts[f"{split} exact"] = len(rows) - len({subject.texts[row] for row in rows})
        facts[f"{split} normalised"] = sum(len(family) - 1 for family in alike)
        repeated += [row for family in alike for row in family[1:]]
        families += alike
    if not repeated:
        return []
    exact = sum(count for name, count in facts.items() if name.endswith("exact"))
    is_known = subject.covered_by_groups([row for family in families for row in family])
    return [
        Finding(
            Severity.NOTE if is_known else Severity.WARNING,
            f"{share_of(len(repeated), len(subject.texts))} rows repeat another row of their split but for case and "
            f"blanks, {exact:,} of them exactly" + ("; they have groups" if is_known else ""),
            REMEDY.format(ref=subject.dataset.ref),
            tuple(subject.ids[row] for row in sorted(repeated)),
            facts,
            _evidence(subject, families),
        )
    ]


def _evidence(subject: Subject, families: list[list[int]]) -> Evidence:
    largest = sorted(families, key=lambda family: (-len(family), family))[:SHOWN]
    return Evidence(
        ("times", "split", "labels", "text"),
        tuple(
            (
                len(family),
                subject.splits[family[0]],
                ", ".join(sorted({subject.labels[row] for row in family})),
                shown(subject.texts[family[0]]),
            )
            for family in largest
        ),
    )

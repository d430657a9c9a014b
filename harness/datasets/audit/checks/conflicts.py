"""The same text under different labels: at least one of them is wrong, or the text alone does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity
from harness.datasets.audit.patterns import shown
from harness.datasets.audit.subject import by_value
from harness.ground.formatting import plural

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject


def check(subject: Subject) -> list[Finding]:
    """The texts that have more than one gold answer, within a split or across splits."""
    families = by_value(subject.normalised, range(len(subject.texts)))
    torn = [rows for rows in families.values() if len({subject.labels[row] for row in rows}) > 1]
    if not torn:
        return []
    within = sum(_is_torn_within(subject, rows) for rows in torn)
    return [
        Finding(
            Severity.ERROR,
            f"{plural(len(torn), 'text')} under different labels: {within:,} within a split, "
            f"{len(torn) - within:,} across splits",
            f"decide which label is right: harness dataset audit {subject.dataset.ref} --corrections FILE writes a "
            f"table to fill in; then harness dataset new-version {subject.dataset.ref} --to VERSION --edits FILE",
            tuple(subject.ids[row] for rows in torn for row in rows),
            {"texts": len(torn), "within a split": within, "across splits": len(torn) - within},
            Evidence(
                ("text", "labels", "rows"),
                tuple(
                    (
                        shown(subject.texts[rows[0]]),
                        ", ".join(sorted({f"{subject.labels[row]} ({subject.splits[row]})" for row in rows})),
                        ", ".join(subject.ids[row] for row in rows[:5]),
                    )
                    for rows in torn[:SHOWN]
                ),
            ),
        )
    ]


def _is_torn_within(subject: Subject, rows: list[int]) -> bool:
    return any(len({subject.labels[row] for row in members}) > 1 for members in by_value(subject.splits, rows).values())

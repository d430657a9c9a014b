"""People who rated the same items: how much their single answers are worth against the gold, and where they part.

What single people reach against the gold is the ceiling of every arm: nobody needs one that agrees more than people do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity
from harness.datasets.audit.patterns import shown
from harness.datasets.task import Task
from harness.ground import formatting
from harness.stats import margins

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

FAR = 0.5  # mean credit of an item's raters against its gold


def check(subject: Subject) -> list[Finding]:
    """The raters' mean credit against the gold, and the items on which they are far from it."""
    task = Task.of(subject.dataset)
    per_row = {
        row: [task.credit(example.label, answer) for answer in example.ratings.values()]
        for row, example in enumerate(subject.dataset.examples)
        if example.ratings
    }
    if not per_row:
        return []
    values = np.array([credit for credits in per_row.values() for credit in credits])
    groups = np.repeat(list(per_row), [len(credits) for credits in per_row.values()])
    agreement = margins.share(values, groups, name="agreement")
    means = {row: float(np.mean(credits)) for row, credits in per_row.items()}
    far = sorted((row for row, mean in means.items() if mean < FAR), key=means.__getitem__)
    raters = {rater for example in subject.dataset.examples for rater in example.ratings}
    found = Finding(
        Severity.NOTE,
        f"{formatting.plural(len(raters), 'rater')} on {len(per_row):,} rows: a single person's answer is worth "
        f"{formatting.with_interval(agreement)} against the gold, the ceiling of every arm",
        "read arms against this figure",
        facts={"raters": len(raters), "rated": len(per_row), "far apart": len(far)},
    )
    if not far:
        return [found]
    return [
        found,
        Finding(
            Severity.WARNING,
            f"{formatting.plural(len(far), 'row')} whose raters are far from the gold: a mean credit below {FAR:g}",
            "look at them: the gold is wrong, the question is unclear, or people do differ",
            tuple(subject.ids[row] for row in far),
            {"rows": len(far)},
            Evidence(
                ("row", "text", "gold", "raters"),
                tuple(
                    (
                        subject.ids[row],
                        shown(subject.texts[row]),
                        subject.labels[row],
                        ", ".join(subject.dataset.examples[row].ratings.values()),
                    )
                    for row in far[:SHOWN]
                ),
            ),
        ),
    ]

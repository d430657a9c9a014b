"""Splits in which labels have other shares: what is tuned on one does not carry over to the other."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2_contingency

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity
from harness.ground import formatting
from harness.stats import intervals

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

NEEDS = ("classes",)
SURE = 0.001
FAR = 0.05  # of the rows would have to change their label for the shares to be the same


def check(subject: Subject) -> list[Finding]:
    """Pairs of splits whose label shares differ by more than chance, and by enough to matter."""
    found = (_between(subject, a, b) for a, b in combinations(subject.split_names, 2))
    return [finding for finding in found if finding is not None]


def _between(subject: Subject, a: str, b: str) -> Finding | None:
    counts = {split: Counter(subject.labels[row] for row in subject.rows_of[split]) for split in (a, b)}
    names = sorted({*counts[a], *counts[b]})
    table = np.array([[counts[split][name] for name in names] for split in (a, b)])
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    if len(names) < 2 or distance < FAR:
        return None
    p_value = float(chi2_contingency(table).pvalue)
    if p_value >= SURE:
        return None
    farthest = np.argsort(-np.abs(shares[0] - shares[1]), kind="stable")[:SHOWN]
    totals = table.sum(axis=1)
    return Finding(
        Severity.WARNING,
        f"labels have other shares in {b} than in {a}: {formatting.share(distance)} of the rows would have to change "
        f"their label to be alike (p {formatting.p_value(p_value)}, chi-squared)",
        "if the splits were drawn, draw them anew with --stratify; if not, know that accuracy and thresholds from "
        f"{a} do not carry over to {b}",
        facts={f"{a} and {b}: labels": len(names)},
        evidence=Evidence(
            ("label", f"share in {a}", f"share in {b}"),
            tuple(
                (names[i], *(intervals.wilson(int(table[j, i]), int(totals[j]), name="share") for j in (0, 1)))
                for i in farthest
            ),
        ),
    )

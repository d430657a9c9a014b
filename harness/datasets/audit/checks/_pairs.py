"""Rows of one split that stand in another too, each with the nearest row there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity, share_of
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject


@dataclass(frozen=True, slots=True)
class Said:
    """How bad it is that rows of one split stand in another, and what to do about it."""

    severity: Severity
    remedy: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A row, the row of the other split that is nearest to it, and how near."""

    row: int
    other: int
    cosine: float


def between(subject: Subject, source: str, target: str, said: Said) -> list[Finding]:
    """One finding about the rows of `target` that stand in `source`, exactly, normalised or nearly."""
    rows, known = subject.rows_of.get(target, []), subject.rows_of.get(source, [])
    pairs = _pairs(subject, rows, known)
    if not pairs:
        return []
    texts = {subject.texts[row] for row in known}
    exact = sum(subject.texts[pair.row] in texts for pair in pairs)
    equal = sum(subject.normalised[pair.row] == subject.normalised[pair.other] for pair in pairs)
    same = sum(subject.labels[pair.row] == subject.labels[pair.other] for pair in pairs)
    found = Finding(
        said.severity,
        f"{share_of(len(pairs), len(rows))} {target} rows have a {source} row that is the same or nearly the same "
        f"(cosine {subject.how.cosine:g} or more): {exact:,} exactly, {equal - exact:,} but for case and blanks, "
        f"{len(pairs) - equal:,} nearly; {same:,} have its label",
        said.remedy.format(ref=subject.dataset.ref),
        tuple(subject.ids[pair.row] for pair in pairs),
        {
            f"{source} to {target}": len(pairs),
            f"{source} to {target} exact": exact,
            f"{source} to {target} normalised": equal,
            f"{source} to {target} same label": same,
        },
        _evidence(subject, pairs, (source, target)),
    )
    return [found]


def _pairs(subject: Subject, rows: list[int], known: list[int]) -> list[Pair]:
    """Every row that has an equal or near one among the known, with the nearest of them."""
    texts, codes = subject.distinct
    first_of = np.full(len(texts), -1, dtype=np.int64)
    first_of[codes[known[::-1]]] = known[::-1]
    nearest, cosine = first_of.copy(), np.where(first_of >= 0, 1.0, 0.0)
    found = subject.neighbours
    a = np.concatenate([found.first, found.second])
    b = np.concatenate([found.second, found.first])
    near = np.concatenate([found.cosine, found.cosine])
    # A known text is nearest to itself; the others take their best known neighbour, the first of equals.
    useful = (first_of[b] >= 0) & (first_of[a] < 0)
    order = np.flatnonzero(useful)[np.lexsort((-first_of[b[useful]], near[useful]))]
    nearest[a[order]], cosine[a[order]] = first_of[b[order]], near[order]  # the last one stays
    return [
        Pair(row, int(nearest[codes[row]]), min(1.0, float(cosine[codes[row]])))
        for row in rows
        if nearest[codes[row]] >= 0
    ]


def _evidence(subject: Subject, pairs: list[Pair], splits: tuple[str, str]) -> Evidence:
    """The pairs with different labels first, then the nearest."""
    worst = sorted(pairs, key=lambda p: (subject.labels[p.row] == subject.labels[p.other], -round(p.cosine, 6), p.row))[
        :SHOWN
    ]
    source, target = splits
    return Evidence(
        ("cosine", f"{target} row", "label", "text", f"{source} row", "its label", "its text"),
        tuple(
            (
                round(pair.cosine, 3),
                subject.ids[pair.row],
                subject.labels[pair.row],
                shown(subject.texts[pair.row]),
                subject.ids[pair.other],
                subject.labels[pair.other],
                shown(subject.texts[pair.other]),
            )
            for pair in worst
        ),
    )

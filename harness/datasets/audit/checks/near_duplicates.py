"""Texts that are nearly the same within a split: character n-grams, or embeddings, at a cosine of .90 or more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity, share_of
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.datasets.audit.subject import Subject

REMEDY = (
    "let splits and standard errors know that they belong together: "
    "harness dataset new-version {ref} --to VERSION --group near-duplicates"
)


def check(subject: Subject) -> list[Finding]:
    """The rows that have a near-duplicate, and no equal, in their own split."""
    found = subject.neighbours
    texts, codes = subject.distinct
    facts, rows, pairs = {}, [], np.zeros(len(found.first), dtype=bool)
    for split, members in subject.rows_of.items():
        is_here = np.zeros(len(texts), dtype=bool)
        is_here[codes[members]] = True
        inside = is_here[found.first] & is_here[found.second]
        has_pair = np.zeros(len(texts), dtype=bool)
        has_pair[found.first[inside]] = has_pair[found.second[inside]] = True
        near = [row for row in members if has_pair[codes[row]]]
        facts[split] = len(near)
        rows += near
        pairs |= inside
    notes = _limits(subject)
    if not rows:
        return notes
    is_known = subject.covered_by_groups(rows)
    return [
        Finding(
            Severity.NOTE if is_known else Severity.WARNING,
            f"{share_of(len(rows), len(subject.texts))} rows are nearly the same as another row of their split "
            f"(cosine {subject.how.cosine:g} or more)" + ("; they have groups" if is_known else ""),
            REMEDY.format(ref=subject.dataset.ref) + _as_here(subject),
            tuple(subject.ids[row] for row in sorted(rows)),
            facts,
            _evidence(subject, pairs),
        ),
        *notes,
    ]


def _as_here(subject: Subject) -> str:
    """The options that group by meaning as it was looked for here."""
    how = subject.how
    return "" if how.encoder is None else f" --encoder {how.encoder} --near {how.cosine:g}"


def _evidence(subject: Subject, pairs: NDArray[np.bool_]) -> Evidence:
    """The nearest pairs, those with different labels first."""
    found, (texts, codes) = subject.neighbours, subject.distinct
    row_of = np.zeros(len(texts), dtype=np.int64)
    row_of[codes[::-1]] = np.arange(len(codes))[::-1]  # the first row with each text
    chosen = np.flatnonzero(pairs)
    a, b = row_of[found.first[chosen]], row_of[found.second[chosen]]
    labels = np.array(subject.labels, dtype=object)
    best = np.lexsort((b, a, -np.round(found.cosine[chosen], 6), labels[a] == labels[b]))[:SHOWN]
    return Evidence(
        ("cosine", "labels", "text", "near it"),
        tuple(
            (
                round(float(found.cosine[chosen[i]]), 3),
                subject.labels[a[i]] if labels[a[i]] == labels[b[i]] else f"{labels[a[i]]} / {labels[b[i]]}",
                shown(subject.texts[a[i]]),
                shown(subject.texts[b[i]]),
            )
            for i in best
        ),
    )


def _limits(subject: Subject) -> list[Finding]:
    """What the search has not seen."""
    found, said = subject.neighbours, []
    if found.chars is not None:
        said.append(f"only the first {found.chars:,} characters of each text were compared")
    if not found.is_whole:
        said.append("the search for near-duplicates gave up: there are too many alike, so the counts are too low")
    remedy = "nothing to do but to know it; a sample of the rows can be audited whole"
    return [Finding(Severity.NOTE, message, remedy) for message in said]

"""Labels that are probably wrong: a classifier that did not see the row is sure of another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

from harness.datasets.audit import confident
from harness.datasets.audit.findings import SHOWN, Evidence, Finding, Severity, share_of
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.datasets.audit.subject import Subject

NEEDS = ("classes",)
FOLDS = 5
FEWEST_ROWS = 50
SMOOTHING = 0.05
SURE = 0.80
"""A label that is so much more probable than the given one is suspected even where its rows' mean is higher still."""
LEARNED = 0.40
"""How much of the way from the largest label's share to 1 the classifier must come: else its doubts say nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The rows that could be judged, with the label each has and the probabilities of all labels."""

    rows: NDArray[np.int64]
    codes: NDArray[np.int64]
    names: NDArray[np.object_]
    probabilities: NDArray[np.float32]


def check(subject: Subject) -> list[Finding]:
    """The suspects, the surest first."""
    judged = _judged(subject)
    if judged is None or not _has_learned(judged):
        return []
    likely = confident.likely_labels(judged.codes, judged.probabilities)
    margins = confident.margins(judged.codes, judged.probabilities)
    likely = np.where(margins <= -SURE, judged.probabilities.argmax(axis=1), likely)
    suspects = np.flatnonzero((likely >= 0) & (likely != judged.codes))
    if not len(suspects):
        return []
    ranked = suspects[np.argsort(margins[suspects], kind="stable")]
    return [
        Finding(
            Severity.WARNING,
            f"{share_of(len(ranked), len(subject.texts))} rows may have the wrong label: a classifier that did not see "
            "them is confident of another (confident learning, 5-fold cross-validation)",
            "read the first ones, the surest; correct what is wrong: harness dataset new-version "
            f"{subject.dataset.ref} --to VERSION --edits FILE",
            tuple(subject.ids[judged.rows[i]] for i in ranked),
            {"suspects": len(ranked)},
            Evidence(
                ("row", "split", "label", "rather", "margin", "text"),
                tuple(
                    (
                        subject.ids[row := int(judged.rows[i])],
                        subject.splits[row],
                        subject.labels[row],
                        str(judged.names[likely[i]]),
                        round(float(margins[i]), 3),
                        shown(subject.texts[row]),
                    )
                    for i in ranked[:SHOWN]
                ),
            ),
        )
    ]


def _judged(subject: Subject) -> Judged | None:
    """Cross-validated probabilities of every row whose label has enough rows to be learned."""
    names, codes, counts = np.unique(
        np.array(subject.labels, dtype=object).astype(str), return_inverse=True, return_counts=True
    )
    is_common = counts >= FOLDS
    rows = np.flatnonzero(is_common[codes])
    if is_common.sum() < 2 or len(rows) < FEWEST_ROWS:
        return None
    renumbered = (np.cumsum(is_common) - 1)[codes[rows]]
    try:
        vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, dtype=np.float32).fit_transform(
            subject.texts[row] for row in rows
        )
    except ValueError:  # no word stands in two rows
        return None
    probabilities = np.zeros((len(rows), int(is_common.sum())), dtype=np.float32)
    folds = _folds(renumbered)
    for fold in range(FOLDS):
        model = MultinomialNB(alpha=SMOOTHING).fit(vectors[folds != fold], renumbered[folds != fold])
        probabilities[folds == fold] = model.predict_proba(vectors[folds == fold])
    return Judged(rows, renumbered, names[is_common], probabilities)


def _folds(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """A fold per row, each label dealt out evenly in an order drawn with a fixed seed."""
    order = np.random.default_rng(0).permutation(len(codes))
    by_label = order[np.argsort(codes[order], kind="stable")]
    folds = np.empty(len(codes), dtype=np.int64)
    folds[by_label] = np.arange(len(codes)) % FOLDS
    return folds


def _has_learned(judged: Judged) -> bool:
    right = float((judged.probabilities.argmax(axis=1) == judged.codes).mean())
    largest = np.bincount(judged.codes).max() / len(judged.codes)
    return bool(right - largest >= LEARNED * (1 - largest))

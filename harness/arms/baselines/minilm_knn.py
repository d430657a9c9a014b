"""Similarity search: the labels of the nearest training items by sentence embedding vote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._features import Embedded, row_normalised
from harness.arms.baselines._label_by_label import LabelByLabel
from harness.arms.baselines._label_scorers import NeighbourShares
from harness.arms.baselines._numbers import NeighbourMean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VERSION = 2
KINDS = ("single", "multi", "score")
CHUNK = 512
TIE = 1e-6


def build(
    k: int = 10,
    encoder: str = "minilm",
    cache: str | None = None,
    calibrate: bool = True,
    spec: KindSpec = SINGLE,
    seed: int = 0,
) -> BaseEstimator:
    """The `k` nearest training items vote, nearer ones with more weight; of numbers, their mean is taken."""
    if spec.kind == "multi":
        return LabelByLabel(NeighbourShares(Embedded(encoder, cache), k), spec.labels, seed)
    if spec.kind == "score":
        return NeighbourMean(Embedded(encoder, cache), spec.labels, k)
    return calibrated(make_pipeline(Embedded(encoder, cache), NearestVotes(k)), seed, wanted=calibrate)


class NearestVotes(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Votes of the k nearest rows by cosine, weighted by exp(cosine / temperature). Rows have length 1.

    Rows as near as the k-th vote too, so the order of the training rows decides nothing.
    """

    def __init__(self, k: int = 10, temperature: float = 0.05) -> None:
        self.k = k
        self.temperature = temperature

    def fit(self, vectors: NDArray[np.float32], labels: Sequence[str]) -> Self:
        """Keep the training rows."""
        self.classes_, self.codes_ = np.unique(labels, return_inverse=True)
        self.vectors_ = np.asarray(vectors)
        return self

    def predict_proba(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores, one row per row."""
        scores = np.zeros((len(vectors), len(self.classes_)))
        k = min(self.k, len(self.vectors_))
        for start in range(0, len(vectors), CHUNK):
            similarity = vectors[start : start + CHUNK] @ self.vectors_.T
            farthest = np.partition(similarity, -k, axis=1)[:, [-k]]
            rows, nearest = np.nonzero(similarity >= farthest - TIE)
            # A vote is exp(cosine / temperature), divided by the greatest so that none overflows.
            behind = (similarity.max(axis=1)[rows] - similarity[rows, nearest]).astype(np.float64)
            np.add.at(scores, (start + rows, self.codes_[nearest]), np.exp(-behind / self.temperature))
        return row_normalised(scores)

    def predict(self, vectors: NDArray[np.float32]) -> NDArray[np.str_]:
        """The label with most votes."""
        return np.asarray(self.classes_[self.predict_proba(vectors).argmax(axis=1)])

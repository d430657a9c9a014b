"""Similarity search: the labels of the nearest training items by sentence embedding vote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._features import Embedded
from harness.arms.baselines._label_by_label import LabelByLabel
from harness.arms.baselines._label_scorers import NeighbourShares
from harness.arms.baselines._numbers import NeighbourMean
from harness.arms.portable.heads import votes
from harness.arms.portable.kept import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VERSION = 2
KINDS = ("single", "multi", "score")


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
        return votes(vectors, self.vectors_, self.codes_, self._settings)

    @property
    def _settings(self) -> dict[str, float]:
        return {"k": self.k, "temperature": self.temperature, "n_labels": len(self.classes_)}

    def state(self) -> State:
        """The training rows and their labels."""
        spec = {"kind": "votes", "classes": self.classes_.tolist(), **self._settings}
        return State(spec, {"vectors": self.vectors_, "codes": self.codes_})

    def predict(self, vectors: NDArray[np.float32]) -> NDArray[np.str_]:
        """The label with most votes."""
        return np.asarray(self.classes_[self.predict_proba(vectors).argmax(axis=1)])

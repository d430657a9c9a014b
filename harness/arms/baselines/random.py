"""A label drawn by the training shares: what guessing would get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.types import Item

VERSION = 1
KINDS = "any"  # what it answers is the gold of some training item
LEARNS = False


def build(seed: int = 0) -> Guess:
    """Labels drawn at random, as often as in training."""
    return Guess(seed)


class Guess(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A draw per item that depends on the seed and the item's id alone: not on its batch, nor on its place there."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Learn how often each label occurs."""
        self.classes_, counts = np.unique(labels, return_counts=True)
        self.cumulative_ = np.cumsum(counts) / len(labels)
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """1 for the label that was drawn."""
        draws = [unit_interval("random", str(self.seed), item.id) for item in items]
        scores = np.zeros((len(items), len(self.classes_)))
        scores[np.arange(len(items)), np.searchsorted(self.cumulative_, draws, side="right")] = 1.0
        return scores

    def predict(self, items: Sequence[Item]) -> NDArray[np.str_]:
        """The label that was drawn."""
        return np.asarray(self.classes_[self.predict_proba(items).argmax(axis=1)])

"""The most frequent training label for every item: the floor under everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.dummy import DummyClassifier

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._constant import Constant
from harness.arms.portable.kept import State

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

VERSION = 1
KINDS = "any"  # what it answers is the gold of some training item


def build(spec: KindSpec = SINGLE, seed: int = 0) -> BaseEstimator:
    """Always the most frequent label, with its share in training; of other kinds, the answer worth most there."""
    if spec.kind != "single":
        return Constant(spec)
    return Prior(strategy="prior", random_state=seed)


class Prior(DummyClassifier):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's, which can say what it has learnt."""

    def state(self) -> State:
        """The share of each label."""
        return State({"kind": "constant", "classes": self.classes_.tolist()}, {"shares": self.class_prior_})

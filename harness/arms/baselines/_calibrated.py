"""Scores that mean what they say: fitted to the answers a classifier gives on items it did not learn from.

A classifier's own scores rank its answers, but a score of .4 may be right nine times in ten. Here
the training items are split into folds; a classifier that learnt without a fold scores it; and two
numbers are fitted to those scores by likelihood: a temperature (Guo et al. 2017) and a share that is
spread over all labels, since even a sure answer meets a wrong label now and then. Neither changes
which label scores highest. The classifier that answers afterwards has learnt from all items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from harness.arms.baselines._one_class import OrTheOnlyLabel
from harness.arms.portable.heads import softened
from harness.arms.portable.kept import state_of
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harness.arms.portable.kept import State
    from harness.types import Item

FOLDS = 5
ENOUGH = 1_500  # two numbers need no more items; further folds would cost a fit each
TOO_FEW = 20
TEMPERATURES = (0.02, 50.0)
SPREADS = (1e-6, 0.5)
SMALLEST = 1e-12


def calibrated(classifier: Any, seed: int, *, wanted: bool = True) -> ClassifierMixin:  # noqa: ANN401
    """Any scikit-learn classifier over items, its scores calibrated (where wanted); one label will do."""
    sturdy = OrTheOnlyLabel(classifier)
    return Calibrated(sturdy, seed) if wanted else sturdy


@dataclass(frozen=True, slots=True)
class Fold:
    """Scores of items that the classifier had not learnt from, and the columns of their gold labels."""

    scores: NDArray[np.float64]
    gold: NDArray[np.int64]


class Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """`classifier` with calibrated scores, or with its own where training is too small to tell.

    After `fit`: `temperature_` and `spread_`; `facts_` says how they were found, or why they were not,
    and how often the held-out items were answered right.
    """

    def __init__(self, classifier: Any, seed: int = 0) -> None:  # noqa: ANN401  (any classifier over items)
        self.classifier = classifier
        self.seed = seed

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Fit the classifier to all items, and the calibration to folds that were held out of it."""
        self.classes_ = np.unique(labels)
        self.classifier_ = clone(self.classifier).fit(items, labels)
        self.temperature_, self.spread_ = 1.0, 0.0
        facts = getattr(self.classifier_, "facts_", {})
        folds = list(self._held_out(items, np.asarray(labels)))
        scored = sum(len(fold.gold) for fold in folds)
        if scored < TOO_FEW:
            said = f"not calibrated: fewer than the {TOO_FEW} training items that are needed could be held out"
            self.facts_ = {**facts, "calibration": said}
            return self
        self.temperature_, self.spread_ = _fitted(folds)
        right = sum(int((fold.scores.argmax(axis=1) == fold.gold).sum()) for fold in folds)
        self.facts_ = {
            **facts,
            "calibration": f"temperature {self.temperature_:.3g}, {self.spread_:.2g} spread over all labels, "
            f"fitted to {scored} held-out training items",
            "held_out_n": scored,
            "held_out_right": right,
        }
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Calibrated scores, one row per item; a row of zeros stays one."""
        scores = np.asarray(self.classifier_.predict_proba(items), dtype=np.float64)
        if self.temperature_ == 1.0 and self.spread_ == 0.0:
            return scores
        return softened(scores, self.temperature_, self.spread_)

    def predict(self, items: Sequence[Item]) -> NDArray[np.str_]:
        """The label with the highest score."""
        return np.asarray(self.classes_[self.predict_proba(items).argmax(axis=1)])

    def state(self) -> State | None:
        """What was learnt: the classifier's, and the two numbers."""
        inner = state_of(self.classifier_)
        spec = {"kind": "calibrated", "temperature": self.temperature_, "spread": self.spread_}
        return inner and inner.inside({**spec, "classes": self.classes_.tolist()})

    def _held_out(self, items: Sequence[Item], labels: NDArray[np.str_]) -> Iterator[Fold]:
        """Fold by fold, until enough items are scored."""
        scored = 0
        for learnt, held in _splits(items, labels, self.seed):
            of_learnt, of_held = ([items[int(i)] for i in part] for part in (learnt, held))
            classifier = clone(self.classifier).fit(of_learnt, labels[learnt].tolist())
            scores = np.asarray(classifier.predict_proba(of_held), dtype=np.float64)
            answered = scores.sum(axis=1) > 0
            yield Fold(scores[answered], np.searchsorted(classifier.classes_, labels[held][answered]))
            scored += int(answered.sum())
            if scored >= ENOUGH:
                return


def _splits(
    items: Sequence[Item], labels: NDArray[np.str_], seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """What to learn from and what to hold out; nothing where too few items could be held out to tell anything.

    Items whose label occurs nowhere else tell nothing, nor does a fold without which one label is left.
    """
    fold_of = _folds(items, labels, seed)
    splits = []
    for fold in range(FOLDS):
        learnt, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        held = held[np.isin(labels[held], labels[learnt])]
        if len(held) and len(np.unique(labels[learnt])) > 1:
            splits.append((learnt, held))
    return splits if sum(len(held) for _, held in splits) >= TOO_FEW else []


def _folds(items: Sequence[Item], labels: NDArray[np.str_], seed: int) -> NDArray[np.int64]:
    """The fold of each item: every label dealt out evenly. It depends on ids, not on the order of the items."""
    draws = np.array([unit_interval("fold", str(seed), item.id) for item in items])
    folds = np.empty(len(items), dtype=np.int64)
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        mine = mine[np.argsort(draws[mine], kind="stable")]
        first = int(draws[mine[0]] * len(mine) * FOLDS)  # small labels do not all begin in the same fold
        folds[mine] = (first + np.arange(len(mine))) % FOLDS
    return folds


def _fitted(folds: Sequence[Fold]) -> tuple[float, float]:
    """The temperature and the spread under which the held-out gold labels are most likely."""

    def surprise(logs: NDArray[np.float64]) -> float:
        temperature, spread = np.exp(logs)
        total = 0.0
        for fold in folds:
            given = softened(fold.scores, temperature, spread)[np.arange(len(fold.gold)), fold.gold]
            total -= float(np.log(np.maximum(given, SMALLEST)).sum())
        return total

    start = np.log([1.0, 0.01])
    found = minimize(surprise, start, method="Nelder-Mead", bounds=np.log([TEMPERATURES, SPREADS]))
    temperature, spread = np.exp(found.x)
    return float(temperature), float(spread)

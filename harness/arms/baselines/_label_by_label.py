"""Several labels per item, label by label: a chance each, calibrated, and a threshold each, on items held out.

What scores the labels learns from all items but a fold, and scores that fold. On those scores every label gets a
logistic curve of its own (Platt 1999), then a threshold of its own: thresholds go up and down in turn as long as the
mean F1 of the held-out items rises. Where too few items can be held out, a label is taken from one half on.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, clone

from harness.arms.portable.kept import State, state_of
from harness.arms.portable.label_sets import CLEAR, label_sets, logits, on_curves
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.arms.portable.answer import Answer
    from harness.types import Item

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FOLDS = 5
ENOUGH = 1_500  # held-out items: further folds would cost a fit each
TOO_FEW = 20
GRID = np.round(np.arange(0.05, 0.96, 0.05), 2)
PASSES = 3
SLACK = 10.0  # the deviation that the curve's two numbers are expected to have


class LabelByLabel(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Answers with the labels whose calibrated chance reaches their threshold.

    `scorer` has `fit(items, held)` with items x labels of bool, and `chances(items)`; a row of nan is an item that it
    says nothing of. One that `learns` nothing is not fitted again for held-out items.
    """

    def __init__(self, scorer: Any, labels: tuple[tuple[str, str], ...] = (), seed: int = 0) -> None:  # noqa: ANN401
        self.scorer = scorer
        self.labels = labels
        self.seed = seed

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Fit the scorer to all items, curves and thresholds to items that were held out of it."""
        self.names_ = sorted(
            {name for name, _ in self.labels} or {name for text in labels for name in json.loads(text)}
        )
        held = indicators(labels, self.names_)
        self.scorer_ = clone(self.scorer).fit(items, held)
        rows, chances = self._held_out(items, held)
        self.facts_: dict[str, object]
        self.curves_ = np.tile([0.0, 1.0, 0.0, 1.0], (len(self.names_), 1))
        self.cuts_ = np.full(len(self.names_), 0.5)
        if len(rows) < TOO_FEW:
            self.facts_ = {"calibration": f"not calibrated: fewer than {TOO_FEW} training items could be held out"}
            return self
        self.curves_ = np.array([_curve(chances[:, i], held[rows, i]) for i in range(len(self.names_))]).reshape(-1, 4)
        likely = on_curves(chances, self.curves_)
        self.cuts_ = thresholds(likely, held[rows])
        chosen = f1(likely >= self.cuts_, held[rows])
        self.facts_ = {
            "calibration": f"a logistic curve and a threshold per label, fitted to {len(rows)} held-out training items",
            "held_out_n": len(rows),
            "held_out_f1": round(float(chosen.mean()), 6),
        }
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The labels of each item."""
        if not items:
            return []
        raw = np.asarray(self.scorer_.chances(items), dtype=np.float64)
        return label_sets(np.broadcast_to(raw, (len(items), len(self.names_))), self.names_, self.curves_, self.cuts_)

    def state(self) -> State | None:
        """What the scorer has learnt, the curves and the thresholds."""
        inner = state_of(self.scorer_)
        if inner is None:
            return None
        named = State({**inner.spec, "classes": self.names_}, inner.arrays)
        around = named.inside({"kind": "label_sets"})
        return State(around.spec, {**around.arrays, "curves": self.curves_, "cuts": self.cuts_})

    def _held_out(self, items: Sequence[Item], held: Flags) -> tuple[NDArray[np.int64], Numbers]:
        """Rows that were held out, and what the scorer says of them; rows that it says nothing of are left out."""
        order = np.argsort([unit_interval("fold", str(self.seed), item.id) for item in items], kind="stable")
        rows: list[NDArray[np.int64]] = []
        chances: list[Numbers] = []
        for fold in range(FOLDS):
            held_out = np.sort(order[fold::FOLDS])
            learnt = np.setdiff1d(order, held_out)
            if not len(learnt) or not len(held_out) or len(items) < TOO_FEW:
                continue
            scorer = self.scorer_
            if getattr(self.scorer, "learns", True):
                scorer = clone(self.scorer).fit([items[i] for i in learnt], held[learnt])
            found = np.asarray(scorer.chances([items[i] for i in held_out]), dtype=np.float64)
            is_known = np.asarray(~np.isnan(found).any(axis=1))
            rows.append(held_out[is_known])
            chances.append(found[is_known])
            if sum(map(len, rows)) >= ENOUGH:
                break
        if not rows:
            return np.zeros(0, dtype=np.int64), np.zeros((0, held.shape[1]))
        return np.concatenate(rows), np.concatenate(chances)


def indicators(labels: Sequence[str], names: Sequence[str]) -> Flags:
    """Items x names: whether a gold answer holds a label."""
    column = {name: place for place, name in enumerate(names)}
    held = np.zeros((len(labels), len(names)), dtype=np.bool_)
    for row, text in enumerate(labels):
        held[row, [column[name] for name in json.loads(text) if name in column]] = True
    return held


def f1(taken: Flags, held: Flags) -> Numbers:
    """F1 of each row; 1 where nothing is taken and nothing held."""
    members = taken.sum(axis=-1) + held.sum(axis=-1)
    both = (taken & held).sum(axis=-1)
    return np.asarray(np.divide(2 * both, members, out=np.ones(len(members)), where=members > 0))


def thresholds(likely: Numbers, held: Flags) -> Numbers:
    """A threshold per label: first the best one for all labels, then each in turn where the mean F1 rises by it."""
    best_of_all = max(GRID, key=lambda cut: (round(float(f1(likely >= cut, held).mean()), 12), -abs(cut - 0.5)))
    cuts = np.full(likely.shape[1], float(best_of_all))
    taken = np.asarray(likely >= cuts)
    both, members = (taken & held).sum(axis=1), taken.sum(axis=1) + held.sum(axis=1)
    for _ in range(PASSES):
        before = cuts.copy()
        for label in range(likely.shape[1]):
            without = both - (taken[:, label] & held[:, label]), members - taken[:, label]
            cuts[label] = _best_cut(likely[:, label], held[:, label], without, cuts[label])
            taken[:, label] = likely[:, label] >= cuts[label]
            both = without[0] + (taken[:, label] & held[:, label])
            members = without[1] + taken[:, label]
        if np.array_equal(before, cuts):
            break
    return cuts


def _best_cut(
    likely: Numbers, held: Flags, others: tuple[NDArray[np.int64], NDArray[np.int64]], current: float
) -> float:
    """The threshold of one label with the highest mean F1, the others being as they are; the current one on a tie."""
    both, members = others
    taken = likely[:, None] >= GRID
    total = members[:, None] + taken
    hits = 2 * (both[:, None] + (taken & held[:, None]))
    means = np.divide(hits, total, out=np.ones(total.shape), where=total > 0).mean(axis=0)
    now = means[np.argmin(np.abs(GRID - current))]
    return float(GRID[np.argmax(means)]) if means.max() > now + CLEAR else current


def _curve(chances: Numbers, held: Flags) -> tuple[float, float, float, float]:
    """Centre and scale of the scores' logits, and the intercept and slope of the likeliest logistic curve over them.

    Held lightly to the scores as they are, which is where a label that was never held out stays.
    """
    odds = logits(chances)
    centre, scale = float(odds.mean()), float(odds.std()) or 1.0
    standard, start = (odds - centre) / scale, np.array([centre, scale])

    def surprise(numbers: Numbers) -> tuple[float, Numbers]:
        scores = numbers[0] + numbers[1] * standard
        gap = expit(scores) - held
        pull = (numbers - start) / SLACK**2
        value = float(np.logaddexp(0, scores).sum() - scores[held].sum() + (pull * (numbers - start)).sum() / 2)
        return value, np.array([gap.sum(), gap @ standard]) + pull

    intercept, slope = minimize(surprise, start, jac=True, method="L-BFGS-B", bounds=[(None, None), (1e-3, None)]).x
    return centre, scale, float(intercept), float(slope)

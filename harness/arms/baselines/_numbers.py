"""Numbers on a scale, learnt: what a head says, kept in the range, and how far off it probably is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import Ridge

from harness.arms.baselines._features import Embedded
from harness.arms.baselines._pipelines import on_features
from harness.arms.portable.kept import State
from harness.arms.portable.numbers import nearest_answers, placed, ridge_answers
from harness.errors import ConfigError
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.arms.portable.answer import Answer
    from harness.types import Item

    Numbers = NDArray[np.float64]
    Ends = tuple[tuple[str, str], ...]

ALPHAS = (0.1, 0.3, 1.0, 3.0, 10.0)
HELD_OUT = 0.2
TOO_FEW = 20


def limits(labels: Ends) -> tuple[float, float]:
    """The ends of the range, which stand where other kinds have labels."""
    if len(labels) < 2:
        raise ConfigError("numbers on a scale need the two ends of its range")
    return float(labels[0][0]), float(labels[-1][0])


class RidgeOnFeatures(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Features, then ridge regression; how strong the ridge is, and how far off it is, a held-out fifth tells.

    The expected error is a parabola over the predicted number: ends of a scale are easier than its middle, or harder.
    """

    def __init__(self, features: Any, labels: Ends = (), seed: int = 0) -> None:  # noqa: ANN401  (any transformer)
        self.features = features
        self.labels = labels
        self.seed = seed

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Choose the ridge on a held-out fifth, then fit to all items."""
        self.ends_ = limits(self.labels)
        gold = np.array([float(label) for label in labels])
        order = np.argsort([unit_interval("held out", str(self.seed), item.id) for item in items], kind="stable")
        held, learnt = np.split(order, [round(HELD_OUT * len(items))])
        self.error_, alpha, self.facts_ = None, 1.0, {}
        if len(held) >= TOO_FEW:
            alpha, predicted = self._chosen(items, gold, held, learnt)
            error = np.abs(np.clip(predicted, *self.ends_) - gold[held])
            self.error_ = np.polynomial.polynomial.polyfit(placed(predicted, self.ends_), error, 2)
            self.facts_ = {"ridge": alpha, "held_out_n": len(held), "held_out_mae": round(float(error.mean()), 6)}
        self.features_ = clone(self.features)
        self.ridge_ = Ridge(alpha, random_state=self.seed).fit(self.features_.fit_transform(items), gold)
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """A number each, and 1 less the error that is to be expected of it, in units of the range."""
        if not items:
            return []
        return ridge_answers(self.ridge_.predict(self.features_.transform(items)), self.ends_, self.error_)

    def state(self) -> State | None:
        """The weights, what the features have learnt, and the expected error."""
        weights, intercept = np.atleast_2d(self.ridge_.coef_).T, np.array([self.ridge_.intercept_])
        inner = on_features(self.features_, "raw", weights, intercept)
        if inner is None:
            return None
        around = State({**inner.spec, "classes": [""]}, inner.arrays).inside({"kind": "ridge", "ends": self.ends_})
        known = {} if self.error_ is None else {"error": self.error_}
        return State(around.spec, {**around.arrays, **known})

    def _chosen(
        self, items: Sequence[Item], gold: Numbers, held: NDArray[np.int64], learnt: NDArray[np.int64]
    ) -> tuple[float, Numbers]:
        features = clone(self.features)
        table = features.fit_transform([items[i] for i in learnt])
        asked = features.transform([items[i] for i in held])
        tried = {
            alpha: Ridge(alpha, random_state=self.seed).fit(table, gold[learnt]).predict(asked) for alpha in ALPHAS
        }
        alpha = min(tried, key=lambda one: float(np.abs(tried[one] - gold[held]).mean()))
        return alpha, np.asarray(tried[alpha])


class NeighbourMean(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The weighted mean of the nearest training items' numbers; sure where these lie close together."""

    def __init__(self, features: Embedded, labels: Ends = (), k: int = 10, temperature: float = 0.05) -> None:
        self.features = features
        self.labels = labels
        self.k = k
        self.temperature = temperature

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Keep the training items."""
        self.ends_ = limits(self.labels)
        self.vectors_, self.gold_ = self.features.transform(items), np.array([float(label) for label in labels])
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """A number each."""
        if not items:
            return []
        return nearest_answers(self.features.transform(items), self.vectors_, self.gold_, self._settings)

    @property
    def _settings(self) -> dict[str, Any]:
        return {"ends": self.ends_, "k": self.k, "temperature": self.temperature}

    def state(self) -> State:
        """The training items' vectors and numbers."""
        spec = {"kind": "nearest_numbers", **self._settings, "encoder": str(self.features.encoder)}
        return State(spec, {"vectors": self.vectors_, "numbers": self.gold_})

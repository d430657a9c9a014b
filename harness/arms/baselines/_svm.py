"""A linear support vector machine with scores."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from harness.arms.portable.kept import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix


class LinearMargins(LinearSVC):  # type: ignore[misc]  # scikit-learn has no types
    """LinearSVC whose scores are the softmax of its margins: they rank, they are not probabilities yet."""

    def fit(self, features: csr_matrix, labels: Sequence[str]) -> Self:
        """Fit, quietly: a very long text among raw counts keeps the solver from its last digit, not from an answer."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            super().fit(features, labels)
        return self

    def predict_proba(self, features: csr_matrix) -> NDArray[np.float64]:
        """Scores that add up to 1, one row per row."""
        margins = self.decision_function(features)
        if margins.ndim == 1:
            upper = expit(margins)
            return np.column_stack([1 - upper, upper])
        return np.asarray(softmax(margins, axis=1))

    def state(self) -> State:
        """What was learnt: the weights of the margins."""
        spec = {"kind": "counted", "how": "softmax", "classes": self.classes_.tolist()}
        return State(spec, {"weights": np.ascontiguousarray(self.coef_.T), "intercepts": self.intercept_})

"""A classifier that also works when training holds one label only: then the answer is that label."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from harness.arms.baselines._pipelines import state_of
from harness.arms.portable.kept import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.types import Item


class OrTheOnlyLabel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """`classifier`, unless training holds one label only: most of scikit-learn's refuse to fit that."""

    def __init__(self, classifier: Any) -> None:  # noqa: ANN401  (any scikit-learn classifier)
        self.classifier = classifier

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Fit the classifier, if there is anything to tell apart."""
        self.classes_ = np.unique(labels)
        self.classifier_ = None
        if len(self.classes_) > 1:
            with warnings.catch_warnings():
                # With one item a label scikit-learn suspects numbers to predict; labels never are.
                warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
                self.classifier_ = clone(self.classifier).fit(items, labels)
        return self

    @property
    def facts_(self) -> dict[str, object]:
        """What the classifier (or the last step of a pipeline) says that it found."""
        steps = getattr(self.classifier_, "steps", None)
        return dict(getattr(steps[-1][1] if steps else self.classifier_, "facts_", {}))

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Scores, one row per item."""
        if self.classifier_ is None:
            return np.ones((len(items), 1))
        if len(items) == 0:
            return np.zeros((0, len(self.classes_)))
        return np.asarray(self.classifier_.predict_proba(items), dtype=np.float64)

    def state(self) -> State | None:
        """What was learnt: the classifier's, or the only label."""
        if self.classifier_ is None:
            return State({"kind": "constant", "classes": self.classes_.tolist()}, {"shares": np.ones(1)})
        return state_of(self.classifier_)

    def predict(self, items: Sequence[Item]) -> NDArray[np.str_]:
        """The label with the highest score."""
        return np.asarray(self.classes_[self.predict_proba(items).argmax(axis=1)])

"""The odds of an item's tags in each category: counting which tags go with which label.

Naive Bayes over tags alone (Laplace smoothing): a label's score is its share of the training
items times, for each tag, how often that tag goes with the label. Unknown tags say nothing; an
item with no known tag gets no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._features import tags
from harness.arms.baselines._label_by_label import LabelByLabel
from harness.arms.baselines._label_scorers import TagChances
from harness.arms.portable.kept import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.types import Item

VERSION = 2
NEEDS_TAGS = True
KINDS = ("single", "multi")


def build(
    alpha: float = 0.1,
    calibrate: bool = True,
    spec: KindSpec = SINGLE,
    seed: int = 0,
) -> BaseEstimator:
    """Naive Bayes over tags; `alpha` is added to every count."""
    if spec.kind == "multi":
        return LabelByLabel(TagChances(alpha), spec.labels, seed)
    return calibrated(TagOdds(alpha), seed, wanted=calibrate)


class TagOdds(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Naive Bayes over an item's tags, abstaining where no tag is known."""

    def __init__(self, alpha: float = 0.1) -> None:
        self.alpha = alpha

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Count tags by label."""
        self.classes_ = np.unique(labels)
        self.known_ = {tag for item in items for tag in tags(item)}
        self.vectorizer_ = CountVectorizer(analyzer=tags, binary=True)
        self.bayes_ = None
        if self.known_:
            self.bayes_ = MultinomialNB(alpha=self.alpha).fit(self.vectorizer_.fit_transform(items), labels)
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Scores, one row per item; zeros where no tag is known."""
        scores = np.zeros((len(items), len(self.classes_)))
        answered = [i for i, item in enumerate(items) if self.known_.intersection(tags(item))]
        if answered and self.bayes_ is not None:
            counts = self.vectorizer_.transform([items[i] for i in answered])
            scores[answered] = self.bayes_.predict_proba(counts)
        return scores

    def state(self) -> State:
        """The tags that are known, and their odds."""
        spec = {"kind": "tag_odds", "tags": [], "classes": self.classes_.tolist()}
        if self.bayes_ is None:
            return State(spec, {"prior": np.zeros(len(self.classes_)), "given": np.zeros((len(self.classes_), 0))})
        tags = self.vectorizer_.get_feature_names_out().tolist()
        arrays = {"prior": self.bayes_.class_log_prior_, "given": self.bayes_.feature_log_prob_}
        return State({**spec, "tags": tags}, arrays)

    def predict(self, items: Sequence[Item]) -> NDArray[np.str_]:
        """The label with the best odds (the first label where no tag is known)."""
        return np.asarray(self.classes_[self.predict_proba(items).argmax(axis=1)])

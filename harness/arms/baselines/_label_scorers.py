"""What gives every label of an item a chance: regressions, odds of tags, neighbours, similarity to a description.

Each has `fit(items, held)`, with items x labels of bool, `chances(items)`, and `state()`, which names no labels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from harness.arms.baselines._features import Embedded, spelt_out, tags
from harness.arms.baselines._pipelines import on_features
from harness.arms.portable.heads import nearest
from harness.arms.portable.kept import State
from harness.types import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]


class Regressions(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A logistic regression per label over the same features; `is_sparse` says that there are more of them than items.

    A label that all or none of the items have keeps its share as chance.
    """

    def __init__(self, features: Any, c: float = 10.0, is_sparse: bool = False, seed: int = 0) -> None:  # noqa: ANN401
        self.features = features
        self.c = c
        self.is_sparse = is_sparse
        self.seed = seed

    def fit(self, items: Sequence[Item], held: Flags) -> Self:
        """Fit the features once, then one regression a label."""
        self.features_ = clone(self.features)
        table = self.features_.fit_transform(items)
        solver = {"solver": "liblinear", "dual": True, "tol": 0.01} if self.is_sparse else {"solver": "newton-cholesky"}
        self.weights_ = np.zeros((table.shape[1], held.shape[1]))
        shares = (held.sum(axis=0) + 0.5) / (len(items) + 1)
        self.intercepts_ = np.log(shares / (1 - shares))
        one = LogisticRegression(C=self.c, random_state=self.seed, max_iter=300, **solver)
        with threadpool_limits(1, "blas"):  # small matrices: threads would only wait for each other
            for label in np.flatnonzero(held.any(axis=0) & ~held.all(axis=0)):
                one.fit(table, held[:, label])
                self.weights_[:, label], self.intercepts_[label] = one.coef_[0], one.intercept_[0]
        return self

    def chances(self, items: Sequence[Item]) -> Numbers:
        """Items x labels."""
        return np.asarray(expit(self.features_.transform(items) @ self.weights_ + self.intercepts_))

    def state(self) -> State | None:
        """The weights of all regressions, and what the features have learnt."""
        return on_features(self.features_, "each", self.weights_, self.intercepts_)


class TagChances(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Naive Bayes over tags, for each label against its absence; nan for an item with no known tag."""

    def __init__(self, alpha: float = 0.1) -> None:
        self.alpha = alpha

    def fit(self, items: Sequence[Item], held: Flags) -> Self:
        """Count tags where a label stands, and where it does not."""
        self.known_ = {tag for item in items for tag in tags(item)}
        if not self.known_:
            return self
        self.vectorizer_ = CountVectorizer(analyzer=tags, binary=True)
        counts = self.vectorizer_.fit_transform(items)
        odds = []
        for side in (held, ~held):
            of_tag = counts.T @ side + self.alpha
            odds.append((np.log(of_tag) - np.log(of_tag.sum(axis=0)), np.log(side.sum(axis=0) + self.alpha)))
        (with_label, share), (without, rest) = odds
        self.weights_, self.intercepts_ = with_label - without, share - rest
        return self

    def chances(self, items: Sequence[Item]) -> Numbers:
        """Items x labels."""
        is_known = np.array([bool(self.known_.intersection(tags(item))) for item in items])
        if not self.known_:
            return np.full((len(items), 1), np.nan)
        found = expit(self.vectorizer_.transform(items) @ self.weights_ + self.intercepts_)
        return np.where(is_known[:, None], found, np.nan)

    def state(self) -> State:
        """The tags that are known, and their weights."""
        if not self.known_:
            nothing = {"weights": np.zeros((0, 0)), "intercepts": np.zeros(0)}
            return State({"kind": "tag_chances", "tags": []}, nothing)
        tags = self.vectorizer_.get_feature_names_out().tolist()
        return State({"kind": "tag_chances", "tags": tags}, {"weights": self.weights_, "intercepts": self.intercepts_})


class NeighbourShares(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The share of an item's nearest training items that have the label, nearer ones with more weight."""

    def __init__(self, features: Embedded, k: int = 10, temperature: float = 0.05) -> None:
        self.features = features
        self.k = k
        self.temperature = temperature

    def fit(self, items: Sequence[Item], held: Flags) -> Self:
        """Keep the training items."""
        self.vectors_, self.held_ = self.features.transform(items), held.astype(np.float64)
        return self

    def chances(self, items: Sequence[Item]) -> Numbers:
        """Items x labels."""
        vectors = self.features.transform(items)
        shares = np.zeros((len(items), self.held_.shape[1]))
        for row, others, weights in nearest(vectors, self.vectors_, self.k, self.temperature):
            shares[row] = weights @ self.held_[others]
        return shares

    def state(self) -> State:
        """The training items' vectors, and which labels they have."""
        spec = {"kind": "shares", "k": self.k, "temperature": self.temperature, "encoder": str(self.features.encoder)}
        return State(spec, {"vectors": self.vectors_, "held": self.held_.astype(np.bool_)})


class DescriptionSimilarity(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """How near an item lies to the words of a label, by cosine; nothing is learnt here."""

    learns = False

    def __init__(self, labels: tuple[tuple[str, str], ...], features: Embedded) -> None:
        self.labels = labels
        self.features = features

    def fit(self, items: Sequence[Item], held: Flags) -> Self:  # noqa: ARG002
        """Embed the labels, in the order of their names."""
        texts = [spelt_out(name, description) for name, description in sorted(self.labels)]
        self.vectors_ = self.features.transform([Item(text, text) for text in texts])
        return self

    def chances(self, items: Sequence[Item]) -> Numbers:
        """Items x labels."""
        cosines = self.features.transform(items) @ self.vectors_.T
        return np.asarray((1 + cosines.astype(np.float64)) / 2)

    def state(self) -> State:
        """The labels' vectors."""
        return State({"kind": "similar", "encoder": str(self.features.encoder)}, {"vectors": self.vectors_})

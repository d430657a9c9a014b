"""The same answer for every item: of those seen in training, the one that is worth most there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator

from harness.arms.portable.answer import Answer
from harness.arms.portable.kept import State
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.answers import KindSpec
    from harness.types import Item

MOST_TRIED = 50


class Constant(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The training answer with the highest mean credit: among the 50 most frequent, and the middle one of numbers."""

    def __init__(self, spec: KindSpec) -> None:
        self.spec = spec

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Find the answer."""
        counts = Counter(labels)
        tried = [answer for answer, _ in counts.most_common(MOST_TRIED)]
        if self.spec.kind == "score":
            tried.append(sorted(labels, key=float)[len(labels) // 2])
        credit, names = plugins.load("kinds", self.spec.kind).credit, [name for name, _ in self.spec.labels]
        golds, n = list(counts), np.array(list(counts.values()), dtype=np.float64)
        worth = {answer: float(n @ [credit(gold, answer, names) for gold in golds]) / len(labels) for answer in tried}
        self.answer_ = max(worth, key=lambda answer: worth[answer])
        self.worth_ = worth[self.answer_]
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """Always the same, with what it was worth in training."""
        return [Answer(self.answer_, self.worth_)] * len(items)

    def state(self) -> State:
        """The answer, and what it was worth."""
        return State({"kind": "same", "answer": self.answer_, "worth": self.worth_})

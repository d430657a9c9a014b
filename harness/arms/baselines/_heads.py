"""Classifiers on sentence embeddings that several arms use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from harness.arms.baselines._features import Embedded
from harness.arms.baselines._label_by_label import LabelByLabel
from harness.arms.baselines._label_scorers import Regressions

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from harness.arms.answers import KindSpec


def regression_on_embeddings(c: float, encoder: str, cache: str | None, seed: int) -> Pipeline:
    """Embeddings, then logistic regression; embeddings have length 1, so `c` of 1 would shrink too much."""
    # The same optimum as with lbfgs, reached closer and in less time: vectors are dense and not long.
    regression = LogisticRegression(C=c, solver="newton-cg", max_iter=300, random_state=seed)
    return make_pipeline(Embedded(encoder, cache), regression)


def label_regressions(c: float, encoder: str, cache: str | None, spec: KindSpec, seed: int) -> LabelByLabel:
    """For several labels an item: a regression on the same embeddings for each label."""
    return LabelByLabel(Regressions(Embedded(encoder, cache), c, seed=seed), spec.labels, seed)

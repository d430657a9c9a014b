"""Logistic regression on sentence embeddings: the classifier that a few hundred labels buy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from harness.baselines._features import Embedded
from harness.baselines._one_class import OrTheOnlyLabel

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

VERSION = 1


def build(c: float = 10.0, cache: str | None = None, seed: int = 0) -> ClassifierMixin:
    """MiniLM embeddings, then logistic regression."""
    head = LogisticRegression(C=c, max_iter=300, random_state=seed)
    return OrTheOnlyLabel(make_pipeline(Embedded(cache=cache), head))

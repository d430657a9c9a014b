"""Logistic regression on sentence embeddings: the classifier that a few hundred labels buy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._heads import regression_on_embeddings

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

VERSION = 3


def build(
    c: float = 10.0, encoder: str = "minilm", cache: str | None = None, calibrate: bool = True, seed: int = 0
) -> ClassifierMixin:
    """Sentence embeddings, then logistic regression."""
    return calibrated(regression_on_embeddings(c, encoder, cache, seed), seed, wanted=calibrate)

"""Logistic regression on sentence embeddings: the classifier that a few hundred labels buy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._heads import label_regressions, regression_on_embeddings

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

VERSION = 3
KINDS = ("single", "multi")


def build(
    c: float = 10.0,
    encoder: str = "minilm",
    cache: str | None = None,
    calibrate: bool = True,
    spec: KindSpec = SINGLE,
    seed: int = 0,
) -> BaseEstimator:
    """Sentence embeddings, then logistic regression."""
    if spec.kind == "multi":
        return label_regressions(c, encoder, cache, spec, seed)
    return calibrated(regression_on_embeddings(c, encoder, cache, seed), seed, wanted=calibrate)

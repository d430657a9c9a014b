"""A linear support vector machine on TF-IDF of character pieces: sturdy where people mistype."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.pipeline import make_pipeline

from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._svm import LinearMargins
from harness.arms.baselines._tfidf import piece_counts

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

VERSION = 2


def build(c: float = 1.0, calibrate: bool = True, seed: int = 0) -> ClassifierMixin:
    """TF-IDF of character pieces (2 to 5), then a linear support vector machine."""
    return calibrated(make_pipeline(piece_counts(), LinearMargins(C=c, random_state=seed)), seed, wanted=calibrate)

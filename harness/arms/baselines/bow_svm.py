"""A linear support vector machine on plain word counts: the oldest text classifier that still wins tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._features import words
from harness.arms.baselines._svm import LinearMargins

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

VERSION = 1


def build(c: float = 1.0, calibrate: bool = True, seed: int = 0) -> ClassifierMixin:
    """Counts of words of two letters or more, as published for CLINC150, then a linear support vector machine."""
    counts = CountVectorizer(preprocessor=words)
    return calibrated(make_pipeline(counts, LinearMargins(C=c, random_state=seed)), seed, wanted=calibrate)

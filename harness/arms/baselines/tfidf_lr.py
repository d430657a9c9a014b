"""Logistic regression on TF-IDF of words and of character pieces: the classifier to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.pipeline import make_pipeline, make_union

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._label_by_label import LabelByLabel
from harness.arms.baselines._label_scorers import Regressions
from harness.arms.baselines._one_against_rest import OneAgainstRest
from harness.arms.baselines._tfidf import piece_counts, word_counts

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

VERSION = 3
KINDS = ("single", "multi")


def build(
    c: float = 10.0,
    calibrate: bool = True,
    spec: KindSpec = SINGLE,
    seed: int = 0,
) -> BaseEstimator:
    """TF-IDF of words (one and two) and character pieces (2 to 5), then logistic regression."""
    features = make_union(word_counts(), piece_counts())
    if spec.kind == "multi":
        return LabelByLabel(Regressions(features, c, is_sparse=True, seed=seed), spec.labels, seed)
    return calibrated(make_pipeline(features, OneAgainstRest(c, seed)), seed, wanted=calibrate)

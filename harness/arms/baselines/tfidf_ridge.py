"""Ridge regression on TF-IDF of words and of character pieces: a number on a scale, from words."""

from __future__ import annotations

from sklearn.pipeline import make_union

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._numbers import RidgeOnFeatures
from harness.arms.baselines._tfidf import piece_counts, word_counts

VERSION = 1
KINDS = ("score",)


def build(spec: KindSpec = SINGLE, seed: int = 0) -> RidgeOnFeatures:
    """Features, then ridge regression."""
    return RidgeOnFeatures(make_union(word_counts(), piece_counts()), spec.labels, seed)

"""Logistic regression on TF-IDF of words and of character pieces: the classifier to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from harness.baselines._features import words
from harness.baselines._one_class import OrTheOnlyLabel

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

VERSION = 1


def build(c: float = 10.0, seed: int = 0) -> ClassifierMixin:
    """TF-IDF of words (one and two) and character pieces (2 to 5), then logistic regression."""
    features = make_union(
        TfidfVectorizer(preprocessor=words, ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+"),
        TfidfVectorizer(preprocessor=words, analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    return OrTheOnlyLabel(make_pipeline(features, LogisticRegression(C=c, max_iter=300, random_state=seed)))

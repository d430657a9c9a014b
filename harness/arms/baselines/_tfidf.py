"""TF-IDF of items, by words or by pieces of words: what the classic text classifiers count."""

from __future__ import annotations

from sklearn.feature_extraction.text import TfidfVectorizer

from harness.arms.baselines._features import words


def word_counts() -> TfidfVectorizer:
    """Words and pairs of words. Every sign counts as a word of its own, so an emoji is not lost."""
    return TfidfVectorizer(preprocessor=words, ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")


def piece_counts() -> TfidfVectorizer:
    """Runs of 2 to 5 characters inside words: they survive typing errors and endings."""
    return TfidfVectorizer(preprocessor=words, analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)

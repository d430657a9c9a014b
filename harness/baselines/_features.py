"""What a classifier sees of an item: its words, its tags, its embedding."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from harness import plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.types import Item


def words(item: Item) -> str:
    """Text and tags in lower case: what a vectorizer splits."""
    return item.words.lower()


def tags(item: Item) -> list[str]:
    """The tags in lower case: a vectorizer's tokens."""
    return [tag.lower() for tag in item.tags]


class Embedded(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Items to sentence embeddings.

    Batches go through the cache file. One item alone does not: that is how a server sees items,
    and a time that was measured on a cache would be a lie.
    """

    def __init__(self, encoder: str = "minilm", cache: str | None = None) -> None:
        self.encoder = encoder
        self.cache = cache

    def fit(self, items: Sequence[Item], labels: Sequence[str] | None = None) -> Self:  # noqa: ARG002
        """Nothing is learnt."""
        return self

    def transform(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """One row per item."""
        embedder = _connected(self.encoder, self.cache if len(items) > 1 else None)
        vectors: NDArray[np.float32] = embedder.embed([item.words for item in items])
        return vectors

    def __sklearn_is_fitted__(self) -> bool:
        return True


@lru_cache(maxsize=8)
def _connected(encoder: str, cache: str | None) -> Any:  # noqa: ANN401  (whatever the encoder's file offers)
    # Outside the estimator, so that a pickled estimator carries a name and no session.
    return plugins.load("embedders", encoder).connect(Path(cache) if cache else None)


def row_normalised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that add up to 1; rows of zeros stay zeros."""
    total = scores.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(scores, total, out=np.zeros_like(scores), where=total > 0))

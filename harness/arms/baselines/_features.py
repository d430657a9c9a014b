"""What a classifier sees of an item: its words, its tags, its embedding."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from harness.arms import encoding

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


def spelt_out(name: str, description: str) -> str:
    """A label as a person would say it: the words of its name, then its description."""
    said = " ".join(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))) or name
    return f"{said}: {description}" if description else said


class Embedded(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Items to sentence embeddings. A pickled estimator carries the encoder's name, and no session.

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
        cache = Path(self.cache) if self.cache is not None and len(items) > 1 else None
        return encoding.connect(self.encoder, cache).embed([item.words for item in items])

    def __sklearn_is_fitted__(self) -> bool:
        return True

"""Similarity to the labels themselves: no labelled item is needed.

An item's embedding is compared with the embedding of each label's name and description. Training
says only which labels there are, where the dataset does not. Scores are not calibrated: that
would take labels. Where an item may have several labels, how near is near enough is learnt from training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._features import Embedded, spelt_out
from harness.arms.baselines._label_by_label import LabelByLabel
from harness.arms.baselines._label_scorers import DescriptionSimilarity
from harness.arms.portable.kept import State
from harness.types import Item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

VERSION = 1
LEARNS = False
KINDS = ("single", "multi")
LEARNS_OF = ("multi",)  # thresholds


def build(
    labels: tuple[tuple[str, str], ...] = (),
    temperature: float = 0.05,
    encoder: str = "minilm",
    cache: str | None = None,
    spec: KindSpec = SINGLE,
    seed: int = 0,
) -> BaseEstimator:
    """Cosine to each label's name and description; `labels` are (name, description), else training's names."""
    if spec.kind == "multi":
        return LabelByLabel(DescriptionSimilarity(labels, Embedded(encoder, cache)), spec.labels, seed)
    return NearestLabel(labels, temperature, encoder, cache)


class NearestLabel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The label whose words lie nearest by cosine; scores are the softmax of cosine / temperature."""

    def __init__(
        self,
        labels: tuple[tuple[str, str], ...] = (),
        temperature: float = 0.05,
        encoder: str = "minilm",
        cache: str | None = None,
    ) -> None:
        self.labels = labels
        self.temperature = temperature
        self.encoder = encoder
        self.cache = cache

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Embed the labels."""
        described = dict(self.labels)
        self.classes_ = np.array(sorted(described)) if described else np.unique(labels)
        texts = [spelt_out(str(name), described.get(str(name), "")) for name in self.classes_]
        self.embedded_ = Embedded(self.encoder, self.cache)
        self.vectors_ = self.embedded_.transform([Item(text, text) for text in texts])
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Scores, one row per item."""
        if len(items) == 0:
            return np.zeros((0, len(self.classes_)))
        cosines = self.embedded_.transform(items) @ self.vectors_.T
        return np.asarray(softmax(cosines.astype(np.float64) / self.temperature, axis=1))

    def state(self) -> State:
        """The labels' vectors."""
        spec = {"kind": "labels", "classes": self.classes_.tolist(), "temperature": self.temperature}
        return State({**spec, "encoder": str(self.encoder)}, {"vectors": self.vectors_})

    def predict(self, items: Sequence[Item]) -> NDArray[np.str_]:
        """The nearest label."""
        return np.asarray(self.classes_[self.predict_proba(items).argmax(axis=1)])

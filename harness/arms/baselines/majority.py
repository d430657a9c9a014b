"""The most frequent training label for every item: the floor under everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.dummy import DummyClassifier

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

VERSION = 1
KINDS = "any"  # what it answers is the gold of some training item


def build(seed: int = 0) -> ClassifierMixin:
    """Always the most frequent label; its share in training is the score."""
    return DummyClassifier(strategy="prior", random_state=seed)

"""A classifier trained on a prompt's answers: the prompt's successor, without a human label.

It learns from what a teacher, a stored run on the training items, has answered. How often the two
agree (fidelity) and how often it is right (accuracy against gold) are different numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._heads import regression_on_embeddings

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

VERSION = 2
LEARNS = False  # no human label is used
NEEDS_TEACHER = True


def build(
    c: float = 10.0, encoder: str = "minilm", cache: str | None = None, calibrate: bool = True, seed: int = 0
) -> ClassifierMixin:
    """Sentence embeddings, then logistic regression; the labels it is fitted to are the teacher's."""
    return calibrated(regression_on_embeddings(c, encoder, cache, seed), seed, wanted=calibrate)

"""A classifier trained on a prompt's answers: the prompt's successor, without a human label.

It learns from what a teacher, a stored run on the training items, has answered. How often the two
agree (fidelity) and how often it is right (accuracy against gold) are different numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._calibrated import calibrated
from harness.arms.baselines._chain import chain
from harness.arms.baselines._features import Embedded
from harness.arms.baselines._heads import label_regressions, regression_on_embeddings
from harness.arms.baselines._numbers import RidgeOnFeatures

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

VERSION = 2
LEARNS = False  # no human label is used
NEEDS_TEACHER = True
KINDS = ("single", "multi", "extract", "score")


def build(
    c: float = 10.0,
    encoder: str = "minilm",
    cache: str | None = None,
    calibrate: bool = True,
    spec: KindSpec = SINGLE,
    seed: int = 0,
) -> BaseEstimator:
    """Sentence embeddings, then logistic regression, of numbers a ridge; fields take a chain of tags.

    The answers that it is fitted to are the teacher's.
    """
    if spec.kind == "multi":
        return label_regressions(c, encoder, cache, spec, seed)
    if spec.kind == "score":
        return RidgeOnFeatures(Embedded(encoder, cache), spec.labels, seed)
    if spec.kind == "extract":
        return chain("distilled")
    return calibrated(regression_on_embeddings(c, encoder, cache, seed), seed, wanted=calibrate)

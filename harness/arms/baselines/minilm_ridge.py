"""Ridge regression on sentence embeddings: a number on a scale, from what a text means."""

from __future__ import annotations

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines._features import Embedded
from harness.arms.baselines._numbers import RidgeOnFeatures

VERSION = 1
KINDS = ("score",)


def build(encoder: str = "minilm", cache: str | None = None, spec: KindSpec = SINGLE, seed: int = 0) -> RidgeOnFeatures:
    """Features, then ridge regression."""
    return RidgeOnFeatures(Embedded(encoder, cache), spec.labels, seed)

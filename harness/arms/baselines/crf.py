"""A conditional random field over tokens: the trained classifier for fields (an optional extra)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms.baselines._chain import chain

if TYPE_CHECKING:
    from harness.arms.baselines._chain import Crf

VERSION = 1
KINDS = ("extract",)
REQUIRES = "pycrfsuite"
EXTRA = "crf"


def build(c1: float = 0.1, c2: float = 0.01, rounds: int = 50, seed: int = 0) -> Crf:  # noqa: ARG001
    """A chain of tags; `c1` and `c2` weigh the L1 and L2 penalties, `rounds` of L-BFGS at most."""
    return chain("crf", c1, c2, rounds)

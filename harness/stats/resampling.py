"""Tests by resampling pairs, for what has no table of its own."""

from __future__ import annotations

from math import erfc, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import ArrayLike

MOST_EXACT = 16  # pairs whose 65,536 sign patterns are gone through one by one
LEAST_NORMAL = 2_000
PART = 1_000


def paired_permutation(a: ArrayLike, b: ArrayLike, *, rng: Generator, resamples: int = 9_999) -> float:
    """The two-sided p of "within each pair the two could as well be exchanged" (Fisher 1935, section 21).

    The statistic is the sum of the differences. Up to 16 pairs that differ, every exchange is gone
    through; past that, `resamples` are drawn and the observed one counts among them (Phipson and
    Smyth 2010), so p is never 0. From 2,000 pairs on, the normal limit of the same distribution is
    as good as drawing from it. 1 when no pair differs.
    """
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    differences = differences[differences != 0]
    n = len(differences)
    if n == 0:
        return 1.0
    observed = abs(differences.sum())
    # Sums of the same numbers in another order differ in the last bits.
    threshold = observed * (1 - 1e-12) - 1e-12
    if n <= MOST_EXACT:
        patterns = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float(np.mean(np.abs((1 - 2 * patterns) @ differences) >= threshold))
    if n >= LEAST_NORMAL:
        return erfc(observed / sqrt(2 * float((differences**2).sum())))
    extreme = 0
    for start in range(0, resamples, PART):
        signs = rng.choice((-1.0, 1.0), size=(min(PART, resamples - start), n))
        extreme += int((np.abs(signs @ differences) >= threshold).sum())
    return (extreme + 1) / (resamples + 1)

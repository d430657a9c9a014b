"""Intervals for one proportion."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from harness.types import Estimate


def wilson(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with Wilson's score interval (Wilson 1927; Newcombe 1998, method 3)."""
    if n == 0:
        return Estimate(name, None, None, None, 0, "Wilson")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = right / n
    centre = p + z * z / (2 * n)
    margin = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the formula gives 0 and 1 up to rounding; say so exactly.
    low = 0.0 if right == 0 else (centre - margin) / scale
    high = 1.0 if right == n else (centre + margin) / scale
    return Estimate(name, p, low, high, n, "Wilson")

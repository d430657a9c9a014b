"""The interval for one proportion that every report uses. Others stand in `exact`, differences of two in `paired`."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

HALVINGS = 60  # of an interval at most 2 wide: past the last bit of a float


def wilson(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with Wilson's score interval (Wilson 1927; Newcombe 1998, method 3)."""
    if n == 0:
        return Estimate(name, None, None, None, 0, "Wilson")
    low, high = wilson_limits(right, n, NormalDist().inv_cdf(0.5 + confidence / 2))
    return Estimate(name, right / n, low, high, n, "Wilson")


def wilson_limits(right: float, n: float, z: float) -> tuple[float, float]:
    """The two ends of `wilson` at z standard deviations, for one item or more."""
    p = right / n
    centre = p + z * z / (2 * n)
    margin = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the formula gives 0 and 1 up to rounding; say so exactly.
    low = 0.0 if right == 0 else (centre - margin) / scale
    high = 1.0 if right == n else (centre + margin) / scale
    return low, high


def boundary(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """The point where `holds`, true next to `inside`, turns false on the way to `outside`; asks at neither end."""
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside

"""Further intervals for one proportion, which need the incomplete beta function, and so scipy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.special import betainc, betaincinv

from harness.stats import intervals
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable


def clopper_pearson(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with the exact interval, never covering less than asked (Clopper and Pearson 1934)."""

    def low(hits: int, tail: float) -> float:
        return float(betaincinv(hits, n - hits + 1, tail))

    return _mirrored(right, n, low, Estimate(name, None, None, None, n, "Clopper–Pearson"), confidence)


def jeffreys(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with the credible interval of the prior Beta(½, ½) (Brown, Cai and DasGupta 2001)."""

    def low(hits: int, tail: float) -> float:
        return float(betaincinv(hits + 0.5, n - hits + 0.5, tail))

    return _mirrored(right, n, low, Estimate(name, None, None, None, n, "Jeffreys"), confidence)


def mid_p(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with the exact interval that counts half of the observed (Newcombe 1998, method 6)."""

    def low(hits: int, tail: float) -> float:
        def implausible(share: float) -> bool:
            at_least = betainc(hits, n - hits + 1, share)
            more = betainc(hits + 1, n - hits, share) if hits < n else 0.0
            return bool((at_least + more) / 2 < tail)

        return intervals.boundary(implausible, 0.0, hits / n)

    return _mirrored(right, n, low, Estimate(name, None, None, None, n, "mid-P"), confidence)


def _mirrored(right: int, n: int, low: Callable[[int, float], float], unknown: Estimate, confidence: float) -> Estimate:
    if n == 0:
        return unknown
    tail = (1 - confidence) / 2
    # The upper limit of the right ones is the lower limit of the wrong ones, seen from 1.
    least = low(right, tail) if right > 0 else 0.0
    most = 1 - low(n - right, tail) if right < n else 1.0
    return Estimate(unknown.name, right / n, least, most, n, unknown.method)

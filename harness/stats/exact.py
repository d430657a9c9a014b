"""Exact methods for proportions, which need special functions: further intervals of one, Fisher's test of two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.stats import intervals
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

TIES = 1 + 1e-7  # tables as likely as the observed one, up to rounding, count as such


def clopper_pearson(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with the exact interval, never covering less than asked (Clopper and Pearson 1934)."""

    def low(hits: int, tail: float) -> float:
        return float(scipy.special.betaincinv(hits, n - hits + 1, tail))

    return _mirrored(right, n, low, Estimate(name, None, None, None, n, "Clopper–Pearson"), confidence)


def jeffreys(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with the credible interval of the prior Beta(½, ½) (Brown, Cai and DasGupta 2001)."""

    def low(hits: int, tail: float) -> float:
        return float(scipy.special.betaincinv(hits + 0.5, n - hits + 0.5, tail))

    return _mirrored(right, n, low, Estimate(name, None, None, None, n, "Jeffreys"), confidence)


def mid_p(right: int, n: int, *, name: str = "accuracy", confidence: float = 0.95) -> Estimate:
    """The share right / n with the exact interval that counts half of the observed (Newcombe 1998, method 6)."""

    def low(hits: int, tail: float) -> float:
        def implausible(share: float) -> bool:
            at_least = scipy.special.betainc(hits, n - hits + 1, share)
            more = scipy.special.betainc(hits + 1, n - hits, share) if hits < n else 0.0
            return bool((at_least + more) / 2 < tail)

        return intervals.boundary(implausible, 0.0, hits / n)

    return _mirrored(right, n, low, Estimate(name, None, None, None, n, "mid-P"), confidence)


def fisher(right: int, n: int, right_elsewhere: int, n_elsewhere: int) -> float:
    """The two-sided p of Fisher's exact test that two shares are equal: right / n, and the same elsewhere.

    The probability, with all margins as they are, of the tables that are no likelier than the observed
    one (Agresti 2013, section 3.5). 1 where one of the parts is empty.
    """
    hits = right + right_elsewhere
    tables = np.arange(max(0, hits - n_elsewhere), min(n, hits) + 1)
    chances = np.exp(
        _log_choose(n, tables) + _log_choose(n_elsewhere, hits - tables) - _log_choose(n + n_elsewhere, hits)
    )
    observed = chances[right - tables[0]]
    return float(min(chances[chances <= observed * TIES].sum(), 1.0))


def _log_choose(n: int, k: ArrayLike) -> NDArray[np.float64]:
    k = np.asarray(k)
    return np.asarray(scipy.special.gammaln(n + 1) - scipy.special.gammaln(k + 1) - scipy.special.gammaln(n - k + 1))


def _mirrored(right: int, n: int, low: Callable[[int, float], float], unknown: Estimate, confidence: float) -> Estimate:
    if n == 0:
        return unknown
    tail = (1 - confidence) / 2
    # The upper limit of the right ones is the lower limit of the wrong ones, seen from 1.
    least = low(right, tail) if right > 0 else 0.0
    most = 1 - low(n - right, tail) if right < n else 1.0
    return Estimate(unknown.name, right / n, least, most, n, unknown.method)

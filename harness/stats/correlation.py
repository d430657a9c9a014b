"""How two numbers of the same items go together: correlations with intervals."""

from __future__ import annotations

from math import atanh, sqrt, tanh
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

RESAMPLES = 1_000
FEWEST = 4  # the interval's deviation is 1 / sqrt(n - 3)
TAIL = 0.025


def pearson(a: ArrayLike, b: ArrayLike, rng: Generator, groups: ArrayLike | None = None) -> Estimate:
    """Pearson's r with Fisher's (1921) interval; where items come in groups, a bootstrap of whole groups.

    None where one of the two does not vary.
    """
    return _correlation("pearson", lambda _: 1.0, (a, b), rng, groups)


def spearman(a: ArrayLike, b: ArrayLike, rng: Generator, groups: ArrayLike | None = None) -> Estimate:
    """Spearman's rho with the interval of Bonett and Wright (2000); where items come in groups, as `pearson`."""
    ranked = tuple(scipy.stats.rankdata(np.asarray(values, dtype=np.float64)) for values in (a, b))
    return _correlation("spearman", lambda value: 1 + value**2 / 2, ranked, rng, groups)


def correlated(a: Numbers, b: Numbers) -> float | None:
    """Pearson's r; None where one of the two does not vary, or there are fewer than two."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    first, second = a - a.mean(), b - b.mean()
    return float(np.clip(first @ second / sqrt(float(first @ first) * float(second @ second)), -1, 1))


def _correlation(
    name: str,
    inflation: Callable[[float], float],
    values: tuple[ArrayLike, ArrayLike],
    rng: Generator,
    groups: ArrayLike | None,
) -> Estimate:
    a, b = (np.asarray(side, dtype=np.float64) for side in values)
    n, value = len(a), correlated(a, b)
    codes = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    if value is None:
        return Estimate(name, None, None, None, n, "one side does not vary" if n > 1 else "fewer than two items")
    if len(np.unique(codes)) < n:
        return _of_groups(name, (a, b), value, codes, rng)
    method = "Fisher z" if name == "pearson" else "Bonett–Wright"
    if n < FEWEST or abs(value) == 1:
        return Estimate(name, value, None, None, n, f"{method}: no interval")
    margin = NormalDist().inv_cdf(1 - TAIL) * sqrt(inflation(value) / (n - 3))
    return Estimate(name, value, tanh(atanh(value) - margin), tanh(atanh(value) + margin), n, method)


def _of_groups(
    name: str, values: tuple[Numbers, Numbers], value: float, codes: NDArray[np.int64], rng: Generator
) -> Estimate:
    """The percentile bootstrap of whole groups; ranks stay those of all items."""
    a, b = values
    of_group = np.stack([np.bincount(codes, weights=part) for part in (a * 0 + 1, a, b, a * a, b * b, a * b)], axis=1)
    count = len(of_group)
    n, sa, sb, saa, sbb, sab = (rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES) @ of_group).T
    spread = (n * saa - sa**2) * (n * sbb - sb**2)
    known = spread > 0
    drawn = (n * sab - sa * sb)[known] / np.sqrt(spread[known])
    method = f"percentile bootstrap, {RESAMPLES:,} resamples of {count:,} clusters"
    if count == 1 or not known.any():
        return Estimate(name, value, None, None, len(a), f"{method}: no interval")
    low, high = np.quantile(np.clip(drawn, -1, 1), [TAIL, 1 - TAIL])
    return Estimate(name, value, float(low), float(high), len(a), method)

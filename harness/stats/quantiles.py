"""Quantiles with intervals from ranks alone: no shape of the distribution is assumed."""

from __future__ import annotations

from math import ceil, log
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import bdtr

from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def quantile(values: ArrayLike, q: float, *, name: str, confidence: float = 0.95) -> Estimate:
    """The q-quantile with the interval between two ranks (David and Nagaraja 2003, section 7.1).

    An end is None where so few values cannot bound it: see `least_n`.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    method = "order statistics"
    if n == 0:
        return Estimate(name, None, None, None, 0, method)
    # The number of values below the quantile is binomial.
    at_most = bdtr(np.arange(n), n, q)
    tail = (1 - confidence) / 2
    below = int(np.searchsorted(at_most, tail, side="right"))
    above = int(np.searchsorted(at_most, 1 - tail, side="left"))
    low = float(ordered[below - 1]) if below else None
    high = float(ordered[above]) if above < n else None
    return Estimate(name, float(np.quantile(ordered, q)), low, high, n, method)


def least_n(q: float, confidence: float = 0.95) -> int:
    """How many values bound the q-quantile from above, for q above one half."""
    return ceil(log((1 - confidence) / 2) / log(q))

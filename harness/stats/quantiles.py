"""A quantile of measured times or costs, with an interval that assumes nothing about their distribution."""

from __future__ import annotations

from math import ceil, log
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def quantile(values: ArrayLike, share: float, *, name: str = "quantile", confidence: float = 0.95) -> Estimate:
    """The value below which that share of the values lies, between two of the values themselves.

    How many values lie below the true quantile is binomial, so the limits are order statistics (Conover
    1999, section 3.2), and cover it in at least `confidence` of all samples. An end is None where there are
    too few values for one: the 95th percentile has an upper limit from 72 values on.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n, method = len(ordered), "order statistics"
    if n == 0:
        return Estimate(name, None, None, None, 0, method)
    tail = (1 - confidence) / 2
    below = scipy.special.bdtr(np.arange(n + 1), n, share)  # P(at most so many values lie below the quantile)
    lower = int(np.searchsorted(below, tail, side="right"))  # the most values that are surely below, plus one
    upper = int(np.searchsorted(below, 1 - tail, side="left")) + 1
    return Estimate(
        name,
        float(np.quantile(ordered, share)),
        float(ordered[lower - 1]) if lower >= 1 else None,
        float(ordered[upper - 1]) if upper <= n else None,
        n,
        method,
    )


def least_n(share: float, confidence: float = 0.95) -> int:
    """How many values bound the quantile from above, for a share above one half."""
    return ceil(log((1 - confidence) / 2) / log(share))

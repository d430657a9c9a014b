"""The mean of independent values with Student's interval, and two means against each other."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def mean(values: ArrayLike, *, name: str = "mean", confidence: float = 0.95) -> Estimate:
    """The mean and Student's t interval (1908); one value has no interval, an unknown one (nan) makes all unknown."""
    numbers = np.asarray(values, dtype=np.float64)
    n, method = len(numbers), "mean, Student's t"
    if n == 0 or np.isnan(numbers).any():
        return Estimate(name, None, None, None, n, method)
    centre = float(numbers.mean())
    if n == 1:
        return Estimate(name, centre, None, None, 1, method)
    margin = float(scipy.special.stdtrit(n - 1, 0.5 + confidence / 2)) * float(numbers.std(ddof=1)) / sqrt(n)
    return Estimate(name, centre, centre - margin, centre + margin, n, method)


def welch(a: ArrayLike, b: ArrayLike) -> float:
    """Welch's (1947) two-sided p of equal means, whatever the variances; 1 without any variance."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if min(len(first), len(second)) < 2:
        return 1.0
    parts = [float(values.var(ddof=1)) / len(values) for values in (first, second)]
    spread = sum(parts)
    if spread == 0:
        return 1.0
    freedom = spread**2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, (first, second), strict=True))
    statistic = abs(float(first.mean() - second.mean())) / sqrt(spread)
    return float(2 * scipy.special.stdtr(freedom, -statistic))

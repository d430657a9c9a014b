"""The mean of independent values with Student's interval."""

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

"""Means of values that come in clusters: near-duplicates, items of one user, repeats of one item."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def cluster_mean(values: ArrayLike, groups: ArrayLike, *, name: str = "mean", confidence: float = 0.95) -> Estimate:
    """The mean of the values with an interval that takes each cluster for one observation.

    `groups` holds a whole number per value. The standard error is `standard_error`; the quantile is
    Student's t with one degree of freedom less than there are clusters (Cameron and Miller 2015,
    section VI), which widens it where clusters are few. With a single cluster there is no interval.
    """
    numbers, codes = np.asarray(values, dtype=np.float64), np.asarray(groups, dtype=np.int64)
    n, clusters = len(numbers), len(np.unique(codes))
    method = f"cluster-robust, {clusters:,} clusters"
    if n == 0:
        return Estimate(name, None, None, None, 0, method)
    mean = float(numbers.mean())
    if clusters == 1:
        return Estimate(name, mean, None, None, n, f"{method}: no interval from one")
    margin = float(scipy.special.stdtrit(clusters - 1, 0.5 + confidence / 2)) * standard_error(numbers, codes)
    return Estimate(name, mean, mean - margin, mean + margin, n, method)


def standard_error(values: NDArray[np.float64], groups: NDArray[np.int64]) -> float:
    """The cluster-robust standard error of a mean: root of the sum of squared cluster residual sums, over n.

    Liang and Zeger 1986, without a correction for small samples; Miller 2024, section 2.2.
    """
    _, codes = np.unique(groups, return_inverse=True)
    sums = np.bincount(codes, weights=values - values.mean())
    return sqrt(float((sums**2).sum())) / len(values)

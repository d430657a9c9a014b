"""A mean from few gold labels and many cheap ones: prediction-powered inference.

A judge, a teacher or a prompt labels everything; people label a random part of it. The cheap labels
give the mean, the people's part says how far they are off and how unsure that makes it.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def ppi_mean(
    gold: ArrayLike,
    judged: ArrayLike,
    judged_only: ArrayLike,
    *,
    trust: float | None = None,
    name: str = "accuracy",
    confidence: float = 0.95,
) -> Estimate:
    """The mean of what people would say of all items (Angelopoulos et al. 2023, Science 382, 669).

    `gold` and `judged` are people's and the judge's values of the same items, `judged_only` the
    judge's of further items from the same source. `trust` weighs the judge: 1 takes it at its word
    and corrects its bias, 0 ignores it; None takes the weight with the smallest variance, clipped to
    [0, 1] (PPI++: Angelopoulos, Duchi and Zrnic 2023, section 6), which asymptotically is never wider than
    people's labels alone. The interval is normal: read it with fewer than some thirty gold labels as a
    rough one. With one gold label there is no interval, without any there is no value.
    """
    truth, said, further = (np.asarray(values, dtype=np.float64) for values in (gold, judged, judged_only))
    if truth.shape != said.shape:
        raise ValueError(f"{len(truth)} gold values and {len(said)} judged ones; they are of the same items")
    n, more = len(truth), len(further)
    method = f"PPI, {n:,} gold and {more:,} judged"
    if n == 0:
        return Estimate(name, None, None, None, 0, method)
    weight = _best_trust(truth, said, further) if trust is None else trust if more else 0.0
    value = float(truth.mean() + weight * ((further.mean() if more else 0.0) - said.mean()))
    if n == 1:
        return Estimate(name, value, None, None, 1, f"{method}: no interval from one gold label")
    variance = float(np.var(truth - weight * said)) / n
    if more:
        variance += weight**2 * float(np.var(further)) / more
    margin = NormalDist().inv_cdf(0.5 + confidence / 2) * sqrt(variance)
    return Estimate(name, value, value - margin, value + margin, n, method)


def _best_trust(truth: NDArray[np.float64], said: NDArray[np.float64], further: NDArray[np.float64]) -> float:
    """The weight of the judge that minimises the variance of the mean; 0 where that cannot be known."""
    if len(truth) < 2 or len(further) == 0:
        return 0.0
    spread = float(np.var(np.concatenate([said, further]), ddof=1))
    if spread == 0:
        return 0.0
    together = float(np.cov(truth, said, ddof=0)[0, 1])
    return min(1.0, max(0.0, together / ((1 + len(truth) / len(further)) * spread)))

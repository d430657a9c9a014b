"""Several arms' mean scores with Wilson's interval, at the number of items that their clusters are worth.

As `margins.share`, for all arms at once and for weighed units (see `pairwise`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.stats import pairwise, tails
from harness.stats.strata import few
from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from harness.stats.strata import Strata

    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """Means [..., arm] of scores in [0, 1], the items they are of, what those are worth, and how many units."""

    mean: Numbers
    n: Numbers
    worth: Numbers
    units: Numbers
    is_exact: bool

    def limits(self, tail: float = 0.025) -> tuple[Numbers, Numbers]:
        """Wilson's interval that leaves `tail` on either side; 0 and 1 where there is nothing."""
        freedom = np.maximum(self.units - 1, 1)
        z = -scipy.special.ndtri(tail) if self.is_exact else -scipy.special.stdtrit(freedom, tail)
        worth = np.maximum(self.worth, 1e-9)
        centre = self.mean + z * z / (2 * worth)
        margin = z * np.sqrt(self.mean * (1 - self.mean) / worth + z * z / (4 * worth * worth))
        scale = 1 + z * z / worth
        low, high = (centre - margin) / scale, (centre + margin) / scale
        known = self.n > 0
        low = np.where(known & (self.mean > 0), np.clip(low, 0, 1), 0.0)
        return low, np.where(known & (self.mean < 1), np.clip(high, 0, 1), 1.0)

    def estimate(self, arm: int, n: int, name: str, confidence: float = 0.95) -> Estimate:
        """An arm's mean of n items with its interval; unknown without items."""
        low, high = self.limits((1 - confidence) / 2)
        if not n:
            return Estimate(name, None, None, None, 0, "Wilson")
        method = f"Wilson, worth {float(self.worth[arm]):,.0f} items"
        return Estimate(name, float(self.mean[arm]), float(low[arm]), float(high[arm]), n, method)

    def z(self, least: float) -> Numbers:
        """How far a mean lies above `least` (or below), on the scale of the normal: see `tails.z_of_share`."""
        worth = np.maximum(self.worth, 1e-9)
        deviation = np.sqrt(max(least * (1 - least), 1e-12) / worth)
        statistic = np.where(self.n > 0, (self.mean - least) / deviation, 0.0)
        statistic = tails.z_of_share(self.mean * worth, worth, least, statistic)
        return statistic if self.is_exact else pairwise.as_normal(statistic, self.units)


def shares(
    scores: ArrayLike,
    clusters: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    strata: Strata | None = None,
) -> Shares:
    """The arms' means, from items x arms of scores (nan: none); unit u, by its code, counts `weights[..., u]` times.

    With `strata` the items are weighed, and what varies between the strata is no error (see `strata`).
    """
    held = pairwise.units(scores, clusters, strata)
    values = held.low
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    worth = known.astype(np.float64) if held.strata is None else known * held.strata.worth[:, None]
    items, sums = held.summed(worth), held.summed(worth * filled)
    given = np.ones(held.count) if weights is None else np.asarray(weights, dtype=np.float64)
    n, total = given @ items, given @ sums
    mean = pairwise.ratio(total, n, 0.0)
    if held.starts is None and held.is_binary and held.strata is None:
        return Shares(mean, n, n, n, is_exact=True)
    several = given @ items**2
    if held.strata is None:
        together = given @ sums**2 - 2 * mean * (given @ (sums * items)) + mean**2 * several
        alone = given @ held.summed(filled**2) - n * mean**2
    else:
        apart = held.strata.residuals(filled, known)
        together, alone = given @ held.summed(apart) ** 2, given @ held.summed(apart**2)
    alike = pairwise.ratio(several, n, 1.0)
    imagined, units = alike**2, given @ (items > 0)
    if held.strata is not None:
        imagined, units = few(several, given @ items**4)
    design = np.maximum(together + 2 * imagined, alone + 2 * alike) / (total - n * mean**2 + 2 * alike)
    return Shares(mean, n, n / design, units, is_exact=False)

"""A weighted sample: items that stand for others, by how likely each was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Items drawn with known probabilities: their `weights`, which add up to 1, and a code of the unit each is of.

    Weights go as one over the probability of being drawn and are divided by their sum (Hájek 1971): the mean of
    Horvitz and Thompson (1952) with the size of the whole estimated too, which is steadier. Items of one unit (a
    group) count as one observation.
    """

    weights: Numbers
    units: NDArray[np.int64]

    @classmethod
    def of(cls, n: int, weights: ArrayLike | None = None, groups: ArrayLike | None = None) -> Sample:
        """A sample of `n` items; without weights all count alike, without groups each stands for itself."""
        given = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
        if len(given) != n or not np.all(np.isfinite(given) & (given > 0)):
            raise ValueError(f"{n} items need as many weights, all above 0")
        codes = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        return cls(given / given.sum() if n else given, np.asarray(codes, dtype=np.int64))

    @property
    def n_units(self) -> int:
        """How many observations there are."""
        return len(np.unique(self.units))

    @property
    def is_plain(self) -> bool:
        """Whether all items count alike and each stands for itself, so that exact methods hold."""
        return self.n_units == len(self.weights) and bool(np.ptp(self.weights) <= 1e-12 * self.weights.max(initial=1))

    def mean(self, values: Numbers) -> float:
        """The weighted mean."""
        return float(self.weights @ values)

    def products(self, a: Numbers, b: Numbers) -> float:
        """The covariance of the weighted means of two variables whose means are 0, without a correction for small n."""
        return float(self._by_unit(self.weights * a) @ self._by_unit(self.weights * b))

    def of_part(self, shares: Numbers) -> Sample:
        """The sample with every weight multiplied: of the items that a mean is about."""
        weights = self.weights * shares
        return Sample(weights / weights.sum(), self.units)

    @property
    def worth(self) -> float:
        """How many items that count alike give a mean as exact, if weights say nothing of the values (Kish 1965)."""
        return 1 / float((self._by_unit(self.weights) ** 2).sum())

    @property
    def weight_of_one(self) -> float:
        """The squared weight that a further item would have on average: what one unseen value is worth."""
        by_unit = self._by_unit(self.weights)
        return float((by_unit**3).sum())

    def _by_unit(self, values: Numbers) -> Numbers:
        return np.asarray(np.bincount(self.units, weights=values), dtype=np.float64)

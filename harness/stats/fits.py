"""Arms that were fitted several times: how far fits lie apart is an error beside that of the items.

What is said of such an arm is said of its mean fit. Fits and items are drawn independently, so the variances of a mean
over fits and of one over items add up (Bouthillier et al. 2021; what both contain, the noise of one fit on one item,
is counted twice, to the safe side), at the degrees of freedom of Satterthwaite (1946).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from harness.stats.pairwise import Pairwise
    from harness.stats.shares import Shares

    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Fits:
    """Per arm the variance of its mean over fits (0 with one fit), and how many there are."""

    variance: Numbers
    count: Numbers

    @property
    def is_several(self) -> bool:
        """Whether any arm was fitted more than once."""
        return bool((self.count > 1).any())

    def widened(self, pairs: Pairwise) -> Pairwise:
        """The evidence of all pairs with the variance of both arms' fits in it."""
        if not self.is_several:
            return pairs
        both = self.variance[:, None] + self.variance
        assumed = np.maximum(pairs.wins + pairs.losses - pairs.n * np.nan_to_num(pairs.difference) ** 2 + 2, 1e-9)
        items = np.where(pairs.n > 0, pairs.design * assumed / np.maximum(pairs.n, 1) ** 2, 1.0)
        each = self.variance**2 / np.maximum(self.count - 1, 1)
        freedom = _freedom(items, np.asarray(pairs.units), both, each[:, None] + each)
        return replace(pairs, design=pairs.design * (1 + both / items), units=freedom + 1, is_exact=False)

    def spread(self, held: Shares) -> Shares:
        """The arms' means, worth fewer items by the variance of their fits."""
        if not self.is_several:
            return held
        items = (held.mean * (1 - held.mean) + 2 / np.maximum(held.n, 2)) / np.maximum(held.worth, 1e-9)
        each = self.variance**2 / np.maximum(self.count - 1, 1)
        units = _freedom(items, np.asarray(held.units), self.variance, each) + 1
        worth = held.worth * items / (items + self.variance)
        return replace(held, worth=worth, units=units, is_exact=False)

    def of_arms(self, arms: NDArray[np.bool_] | NDArray[np.int64]) -> Fits:
        """Those of some of the arms."""
        return Fits(self.variance[arms], self.count[arms])


@dataclass(frozen=True, slots=True)
class Between:
    """The variance that a mean has from its fits, with its degrees of freedom; 0 where an arm was fitted once."""

    variance: float = 0.0
    freedom: float = inf

    @classmethod
    def of(cls, values: Sequence[float]) -> Between:
        """From the same number of every fit."""
        if len(values) < 2:
            return cls()
        return cls(float(np.var(values, ddof=1)) / len(values), len(values) - 1.0)

    def __add__(self, other: Between) -> Between:
        """That of a difference of two arms, which are fitted independently."""
        total = self.variance + other.variance
        parts = sum(one.variance**2 / one.freedom for one in (self, other))
        return Between(total, total**2 / parts if parts > 0 else inf)

    def joined(self, items: float, freedom: float) -> tuple[float, float]:
        """How many times larger this makes the variance over `items`, and the degrees of freedom of the sum."""
        if self.variance <= 0:
            return 1.0, freedom
        total = items + self.variance
        return total / items, total**2 / (items**2 / freedom + self.variance**2 / self.freedom)


def of(scores: Sequence[Sequence[float]]) -> Fits:
    """From each arm's mean score per fit; nothing or one score for an arm that was fitted once."""
    variances = [float(np.var(each, ddof=1)) / len(each) if len(each) > 1 else 0.0 for each in scores]
    return Fits(np.array(variances), np.array([max(len(each), 1) for each in scores], dtype=np.float64))


def by_seed(scores: Sequence[tuple[int, float | None]]) -> tuple[float, ...]:
    """The mean score of each seed's runs; nothing where there is one seed, and repeats of a prompt have one."""
    seeds: dict[int, list[float]] = {}
    for seed, value in scores:
        if value is not None:
            seeds.setdefault(seed, []).append(value)
    return tuple(float(np.mean(values)) for values in seeds.values()) if len(seeds) > 1 else ()


def _freedom(items: ArrayLike, units: ArrayLike, fits: ArrayLike, of_fits: ArrayLike) -> Numbers:
    """Satterthwaite's degrees of freedom of a sum of two variances; `of_fits` is the second's square over its own."""
    of_items = np.asarray(items) ** 2 / np.maximum(np.asarray(units, dtype=np.float64) - 1, 1)
    total = (np.asarray(items) + np.asarray(fits)) ** 2
    return np.asarray(total / np.maximum(of_items + np.asarray(of_fits), 1e-300))

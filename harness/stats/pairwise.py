"""All pairs of several arms on the same items at once: paired score tests and intervals, as K x K matrices.

Entry [a, b] speaks of arm a's mean score minus arm b's. The test is Tango's (1998), as in `margins`: items
may come in clusters, scores may be shares of 1 (repeats, credit), and the deviation is widened or
narrowed by the design effect. A unit is what is drawn independently: an item, or a whole cluster.

Everything is a function of sums over units, so that units can be weighed: weights of 1 are what was seen,
multinomial weights are resamples, and any leading dimensions of weights become those of the matrices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.stats import tails
from harness.stats.strata import few

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from harness.stats.strata import Strata

    Numbers = NDArray[np.float64]

HALVINGS = 40  # of an interval at most 2 wide: past the twelfth digit
LARGEST_Z = 37.0  # the largest quantile whose tail a float holds


@dataclass(frozen=True)
class Units:
    """Items x arms of scores in [0, 1], nan where an arm has none, and which items are drawn together.

    The first arm of a pair is scored by `low`, the second by `high`; both are the same unless failed items
    are bounded. `starts` are the first items of each unit, None where every item is one; `strata` weigh items.
    """

    low: Numbers
    high: Numbers
    starts: NDArray[np.int64] | None
    strata: Strata | None = None

    @cached_property
    def is_binary(self) -> bool:
        """Whether every score is 0 or 1."""
        return all(bool(((of == 0) | (of == 1) | np.isnan(of)).all()) for of in (self.low, self.high))

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self.low) if self.starts is None else len(self.starts)

    def weighed(self, weights: ArrayLike | None = None) -> Pairwise:
        """The pairs' evidence where unit u counts `weights[..., u]` times; once by default."""
        is_exact = self.starts is None and self.is_binary and self.strata is None
        if weights is None and is_exact:
            return self._counted()
        given = np.ones(self.count) if weights is None else np.asarray(weights, dtype=np.float64)
        lead, flat = given.shape[:-1], given.reshape(-1, given.shape[-1])
        if is_exact:
            return self._recounted(given)
        rows = [self._of_arm(arm, flat) for arm in range(self.low.shape[1])]
        laid = {name: np.stack([row[name] for row in rows], axis=1) for name in rows[0]}
        return Pairwise(**{name: of.reshape(*lead, *of.shape[1:]) for name, of in laid.items()}, is_exact=False)

    def _recounted(self, weights: Numbers) -> Pairwise:
        """As `_counted`, with weights: one product of matrices, because items that are right or wrong need no more."""
        arms = self.low.shape[1]

        def total(flags: NDArray[np.bool_]) -> Numbers:
            sums = weights.astype(np.float32) @ flags.reshape(len(flags), -1).astype(np.float32)
            return np.asarray(sums.reshape(*weights.shape[:-1], arms, arms).astype(np.float64))

        mine, theirs = self.low[:, :, None], self.high[:, None, :]
        wins = total((mine == 1) & (theirs == 0))
        is_same, is_known = self.low is self.high, ~np.isnan(self.low)
        losses = np.swapaxes(wins, -1, -2) if is_same else total((mine == 0) & (theirs == 1))
        n = np.broadcast_to(weights.sum(axis=-1)[..., None, None], wins.shape)
        if not is_known.all():
            n = total(is_known[:, :, None] & ~np.isnan(self.high)[:, None, :])
        return Pairwise(n, wins, losses, np.ones_like(wins), n, is_exact=True)

    def _of_arm(self, arm: int, weights: Numbers) -> dict[str, Numbers]:
        """One arm's row of every matrix: weights x arms."""
        gap = self.low[:, arm, None] - self.high
        known = ~np.isnan(gap)
        gap = np.where(known, gap, 0.0)
        worth = known.astype(np.float64) if self.strata is None else known * self.strata.worth[:, None]
        items, wins, losses = (self.summed(of * worth) for of in (known, np.maximum(gap, 0), np.maximum(-gap, 0)))
        n, won, lost, several = weights @ items, weights @ wins, weights @ losses, weights @ items**2
        mean = ratio(won - lost, n, 0.0)
        if self.strata is None:
            sums = wins - losses
            together = weights @ sums**2 - 2 * mean * (weights @ (sums * items)) + mean**2 * several
            alone = weights @ self.summed(gap**2) - n * mean**2
        else:
            apart = self.strata.residuals(gap, known)
            together, alone = weights @ self.summed(apart) ** 2, weights @ self.summed(apart**2)
        alike = ratio(several, n, 1.0)
        imagined, units = alike**2, weights @ (items > 0)
        if self.strata is not None:
            imagined, units = few(several, weights @ items**4)
        design = np.maximum(together + 2 * imagined, alone + 2 * alike) / (won + lost - n * mean**2 + 2 * alike)
        return {"n": n, "wins": won, "losses": lost, "design": design, "units": units}

    def summed(self, of: Numbers) -> Numbers:
        """Values per item, in the order they are kept, added up within each unit."""
        return of if self.starts is None else np.add.reduceat(of, self.starts, axis=0)

    def _counted(self) -> Pairwise:
        """Items that stand for themselves, right or wrong: products of matrices count them."""
        right, wrong = (self.low == 1).astype(np.float32), (self.low == 0).astype(np.float32)
        other_right, other_wrong = (self.high == 1).astype(np.float32), (self.high == 0).astype(np.float32)
        # 32 bits count exactly up to 16 million items, and are multiplied twice as fast.
        wins, losses = ((a.T @ b).astype(np.float64) for a, b in ((right, other_wrong), (wrong, other_right)))
        n = ((right + wrong).T @ (other_right + other_wrong)).astype(np.float64)
        return Pairwise(n, wins, losses, np.ones_like(n), n, is_exact=True)


def units(scores: ArrayLike, clusters: ArrayLike | None = None, strata: Strata | None = None) -> Units:
    """The units of an items x arms array of scores in [0, 1] (nan: no score); `clusters` holds a code per item.

    A pair is compared on the items on which both have a score; with `strata`, items are weighed.
    """
    values = np.asarray(scores, dtype=np.float64)
    return _units(values, values, clusters, strata)


def bounded(
    scores: ArrayLike, is_lost: ArrayLike, clusters: ArrayLike | None = None, strata: Strata | None = None
) -> Units:
    """As `units`, with the lost cells at their worst: all 0 in the first arm of a pair, all 1 in the second.

    What entry [a, b] then shows for a holds whatever the lost answers are (Manski 1990).
    """
    values, lost = np.asarray(scores, dtype=np.float64), np.asarray(is_lost, dtype=np.bool_)
    if not lost.any():
        return units(values, clusters, strata)
    return _units(np.where(lost, 0.0, values), np.where(lost, 1.0, values), clusters, strata)


def _units(low: Numbers, high: Numbers, clusters: ArrayLike | None, strata: Strata | None) -> Units:
    if clusters is None:
        return Units(low, high, None, strata)
    codes = np.asarray(clusters)
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=codes[order][:1] - 1))
    first = low[order]
    ordered = None if strata is None else strata.rows(order)
    last = first if low is high else high[order]
    return Units(first, last, None if len(starts) == len(codes) else starts, ordered)


@dataclass(frozen=True)
class Pairwise:
    """The evidence of all pairs; matrices [..., a, b] of a minus b.

    `design` is the design effect, `units` how many units a pair was compared on. With `is_exact` every
    item stands for itself and was right or wrong, so that the exact test of no difference holds.
    """

    n: Numbers
    wins: Numbers
    losses: Numbers
    design: Numbers
    units: Numbers
    is_exact: bool

    @cached_property
    def difference(self) -> Numbers:
        """The mean score of a minus that of b; nan without items."""
        return np.divide(self.wins - self.losses, self.n, out=np.full_like(self.n, np.nan), where=self.n > 0)

    def z(self, at: ArrayLike = 0.0) -> Numbers:
        """How many standard deviations a minus b lies above a true difference `at`, on the scale of the normal.

        With clusters, or scores that are shares of 1, Student's t with a degree of freedom less than there are
        units is carried over by its tail. 0 where nothing speaks.
        """
        gap, deviation = _score(self.n, self.wins, self.losses, np.asarray(at, dtype=np.float64))
        scale = deviation * np.sqrt(self._design)
        return self._as_normal(np.divide(gap, scale, out=np.zeros_like(gap), where=scale > 0))

    def z_of_more(self, at: ArrayLike = 0.0) -> Numbers:
        """As `z`, for saying that a leads b by more than `at`: see `tails.z_of_more`.

        Clusters need none of that: the two that are imagined (see `margins.design_effect`) weigh more.
        """
        z = self.z(at)
        return tails.z_of_more(self.n, self.wins, self.losses, at, z) if self.is_exact else z

    def p_of_no_difference(self) -> Numbers:
        """Two-sided p: McNemar's mid-P where it holds (see `paired.mcnemar_mid_p`), else the score test's."""
        if not self.is_exact:
            return np.asarray(2 * scipy.special.ndtr(-np.abs(self.z())))
        fewer, tosses = np.minimum(self.wins, self.losses), self.wins + self.losses
        tail = scipy.special.bdtr(fewer, tosses.astype(np.int64), 0.5)
        below = np.where(fewer > 0, scipy.special.bdtr(np.maximum(fewer - 1, 0), tosses.astype(np.int64), 0.5), 0.0)
        return np.where(self.wins == self.losses, 1.0, tail + below)

    def limits(self, tail: float) -> tuple[Numbers, Numbers]:
        """The interval of a minus b that leaves `tail` on either side; -1 and 1 without evidence."""
        swapped = replace(self, wins=self.losses, losses=self.wins)
        return -swapped._highest(tail), self._highest(tail)

    def _highest(self, tail: float) -> Numbers:
        wanted = -scipy.special.ndtri(tail)
        inside = np.nan_to_num(self.difference)
        outside = np.ones_like(inside)
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            is_plausible = self.z(middle) > -wanted
            inside, outside = np.where(is_plausible, middle, inside), np.where(is_plausible, outside, middle)
        return np.where((self.n > 0) & self._has_spread, inside, 1.0)

    @property
    def _design(self) -> Numbers:
        return np.ones_like(self.design) if self.is_exact else self.design

    @property
    def _has_spread(self) -> NDArray[np.bool_]:
        return np.full(self.n.shape, True) if self.is_exact else self.units > 1

    def _as_normal(self, statistic: Numbers) -> Numbers:
        return statistic if self.is_exact else as_normal(statistic, self.units)


def as_normal(statistic: Numbers, units: Numbers) -> Numbers:
    """The normal's quantile with the tail of Student's t at one degree of freedom less than units; 0 for one unit."""
    freedom = np.maximum(units - 1, 1)
    tail = np.where(units > 1, scipy.special.stdtr(freedom, -np.abs(statistic)), 0.5)
    return np.asarray(np.sign(statistic) * np.minimum(-scipy.special.ndtri(np.maximum(tail, 1e-300)), LARGEST_Z))


def ratio(of: Numbers, by: Numbers, otherwise: float) -> Numbers:
    """A quotient, with another number where there is nothing to divide by."""
    return np.divide(of, by, out=np.full_like(of, otherwise), where=by > 0)


def _score(n: Numbers, wins: Numbers, losses: Numbers, at: Numbers) -> tuple[Numbers, Numbers]:
    """`paired.score` for arrays."""
    only_b = tails.nuisance(n, wins, losses, at)
    return np.asarray(wins - losses - n * at), np.sqrt(n * np.maximum(0.0, 2 * only_b + at * (1 - at)))

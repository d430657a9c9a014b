"""Paired scores against a margin, where items may come in clusters and may have been asked several times.

The score test of `noninferiority`, with its deviation widened by the design effect: how much more
the sum over clusters varies than the sum over as many items that stand for themselves. Where every
item stands for itself, and was asked once, this is exactly that test.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, inf, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.stats import intervals, paired, pairwise, tails
from harness.stats.paired import Weights
from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from harness.stats.strata import Strata

NEVER = 10_000_000  # items that nobody will label


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the items say about a minus b.

    `difference` has the interval that agrees with the tests. `design` is the design effect, 1 or
    more where scores are whole; `clusters` is None where every item stands for itself.
    """

    difference: Estimate
    weights: Weights
    design: float = 1.0
    clusters: int | None = None

    def p_of_no_worse(self, margin: float) -> float:
        """The one-sided p of "a is worse than b by the margin or more": small when a is shown to be close."""
        return self._tail(-self._statistic(margin))

    def p_of_worse(self, margin: float) -> float:
        """The one-sided p of "a is worse than b by the margin at most": small when a is shown to be worse."""
        statistic = self._statistic(margin)
        if self.clusters is None:
            n, losses, wins = (np.array(of) for of in (self.weights.n, self.weights.only_b, self.weights.only_a))
            statistic = -float(tails.z_of_more(n, losses, wins, margin, np.array(-statistic)))
        return self._tail(statistic)

    def needed_n(self, margin: float, alpha: float, power: float, difference: float = 0.0) -> int | None:
        """The items at which a candidate of that true difference would be settled with this power.

        Reckoned from the disagreement seen, with one more item for either side, and the design
        effect. None for a difference that lies at the margin, or that nobody could label enough for.
        """
        effect = abs(difference + margin)
        disagreement = min(1.0, max((self.weights.discordant + 1) / (self.weights.n + 2), abs(difference)))
        share_a = (disagreement + difference) / 2
        _, at_margin = paired.score(Weights(1.0, share_a, disagreement - share_a), -margin)
        there = sqrt(max(0.0, disagreement - difference**2))
        z_alpha, z_beta = NormalDist().inv_cdf(1 - alpha), NormalDist().inv_cdf(power)
        root = (z_alpha * at_margin + z_beta * there) / effect if effect else inf
        return ceil(root**2 * self.design) if root**2 * self.design < NEVER else None

    def _statistic(self, margin: float) -> float:
        gap, deviation = paired.score(self.weights, -margin)
        return gap / (deviation * sqrt(self.design)) if deviation else 0.0

    def _tail(self, statistic: float) -> float:
        if self.clusters is None:
            return NormalDist().cdf(statistic)
        return float(scipy.special.stdtr(self.clusters - 1, statistic)) if self.clusters > 1 else 0.5


def evidence(
    differences: ArrayLike, groups: ArrayLike, *, confidence: float = 0.95, strata: Strata | None = None
) -> Evidence:
    """The evidence in a's score minus b's, one number in [-1, 1] per item; `groups` holds a whole number per item.

    With `strata` the items are weighed, and what varies between the strata is no error.

    The quantile is Student's t with one degree of freedom less than there are clusters (Cameron and
    Miller 2015). No disagreement in few clusters is little evidence: see `design_effect`.
    """
    values, codes = np.asarray(differences, dtype=np.float64), np.asarray(groups, dtype=np.int64)
    n = len(values)
    weights = Weights(n, float(values[values > 0].sum()), -float(values[values < 0].sum()))
    if n == 0:
        return Evidence(Estimate("difference", None, None, None, 0, "Tango"), weights)
    if strata is not None:
        return _weighed(values, codes, strata, confidence)
    found = len(np.unique(codes))
    is_single = found == n and bool(np.isin(values, (-1, 0, 1)).all())
    clusters, design = (None, 1.0) if is_single else (found, design_effect(values, codes, weights.discordant))
    method = "Tango" if clusters is None else f"Tango, {found:,} clusters, design effect {design:.2g}"
    unknown = Evidence(Estimate("difference", float(values.mean()), None, None, n, method), weights, design, clusters)
    return _with_limits(unknown, confidence)


def _weighed(values: NDArray[np.float64], codes: NDArray[np.int64], strata: Strata, confidence: float) -> Evidence:
    """The same of items that are weighed: see `pairwise`."""
    gaps = np.column_stack([values, np.zeros(len(values))])
    held = pairwise.units(gaps, codes, strata).weighed()
    n, won, lost = (float(of[0, 1]) for of in (held.n, held.wins, held.losses))
    design, found = float(held.design[0, 1]), int(held.units[0, 1])
    method = f"Tango, weighed, {found:,} clusters, design effect {design:.2g}"
    difference = Estimate("difference", (won - lost) / n, None, None, len(values), method)
    return _with_limits(Evidence(difference, Weights(n, won, lost), design, found), confidence)


def _with_limits(unknown: Evidence, confidence: float) -> Evidence:
    """With the interval that agrees with the tests; none where there is one cluster."""
    found, mean = unknown.clusters, unknown.difference.value or 0.0
    if found == 1:
        return unknown
    tail = 0.5 + confidence / 2
    quantile = NormalDist().inv_cdf(tail) if found is None else float(scipy.special.stdtrit(found - 1, tail))
    low, high = paired.tango_limits(unknown.weights, mean, quantile * sqrt(unknown.design))
    return replace(unknown, difference=replace(unknown.difference, low=max(-1.0, low), high=min(1.0, high)))


def share(
    values: ArrayLike, groups: ArrayLike | None = None, *, name: str = "accuracy", confidence: float = 0.95
) -> Estimate:
    """The mean of scores in [0, 1] with Wilson's interval at the number of items that the clusters are worth.

    Without `groups` every item stands for itself; of those that are right or wrong it is `intervals.wilson`.
    """
    scores = np.asarray(values, dtype=np.float64)
    n = len(scores)
    codes = np.arange(n) if groups is None else np.asarray(groups, dtype=np.int64)
    if n == 0:
        return Estimate(name, None, None, None, 0, "Wilson")
    found = len(np.unique(codes))
    mean = float(scores.mean())
    if found == n and bool(np.isin(scores, (0, 1)).all()):
        low, high = intervals.wilson_limits(int(scores.sum()), n, NormalDist().inv_cdf(0.5 + confidence / 2))
        return Estimate(name, mean, low, high, n, "Wilson")
    worth = n / design_effect(scores, codes, float(scores.sum()))
    z = float(scipy.special.stdtrit(max(found - 1, 1), 0.5 + confidence / 2))
    low, high = intervals.wilson_limits(mean * worth, worth, z)
    return Estimate(name, mean, max(0.0, low), min(1.0, high), n, f"Wilson, {found:,} clusters")


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Sums over groups of their score's square, of score times size, and of size squared; and how many there are."""

    squares: float
    crossed: float
    sizes: float
    count: int


def share_of_sums(
    total: float, squares: float, n: int, *, groups: GroupSums | None = None, name: str = "accuracy"
) -> Estimate:
    """`share`, from the sum of the scores and that of their squares; without `groups` items stand for themselves."""
    if n == 0 or (squares == total and groups is None):
        return intervals.wilson(round(total), n, name=name)
    mean = total / n
    of = groups or GroupSums(squares, total, n, n)
    alike = of.sizes / n
    together = of.squares - 2 * mean * of.crossed + mean**2 * of.sizes
    alone = squares - n * mean**2
    worth = n * (total - n * mean**2 + 2 * alike) / max(together + 2 * alike**2, alone + 2 * alike)
    z = float(scipy.special.stdtrit(max(of.count - 1, 1), 0.975))
    low, high = intervals.wilson_limits(mean * worth, worth, z)
    return Estimate(name, mean, max(0.0, low), min(1.0, high), n, f"Wilson, {of.count:,} clusters")


def design_effect(values: NDArray[np.float64], groups: NDArray[np.int64], size: float) -> float:
    """How much more the mean varies than the test assumes, for which all values are 0 or whole.

    `size` is the sum of the values' sizes: were all whole, also that of their squares. Shares of 1 (means over
    repeats, credit) vary less than that, and items of a cluster together vary more.

    Two clusters are imagined besides, one that lies wholly above and one wholly below the rest:
    where little is seen, clusters count as items that are all alike (Kish 1965), and with more the
    data speak. Otherwise a group that fails as one, and happens not to be among a few groups, would
    not count at all (simulated in tests/stats/test_margins.py: 12% instead of 2.5%).
    """
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n, mean = len(values), float(values.mean())
    alike = float((sizes.astype(np.float64) ** 2).sum()) / n
    together = float((np.bincount(codes, weights=values - mean) ** 2).sum())
    alone = float(((values - mean) ** 2).sum())
    return max(together + 2 * alike**2, alone + 2 * alike) / (size - n * mean**2 + 2 * alike)

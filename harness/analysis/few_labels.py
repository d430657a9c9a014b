"""Arms side by side as estimated from few labels: what takes the place of gold alone in comparisons and verdicts. Pure.

A comparison, the rule of a verdict and a gate read means of arms and differences of pairs, each at any confidence.
Here these are the estimates of `analysis.estimation`, so that whoever reads them says what `harness estimate` says,
corrected for as many pairs as ever. What a difference is worth differs from pair to pair: the guesses say more of
some.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.ground import formatting
from harness.stats import powered
from harness.stats.pairwise import Pairwise
from harness.stats.shares import Shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from harness.stats.powered import Powered

    Numbers = NDArray[np.float64]
    Table = Sequence[Sequence[Powered]]


IMAGINED = 2.0  # items, one for each side: a variance from few labels is never nothing


@dataclass(frozen=True)
class Bounded:
    """Arms' means with failed calls left out, with all of them wrong, and with all of them right.

    `of_fits` is what the fits of each arm take of its worth: 1 / `Shares.worth` less what the labels alone make it.
    """

    seen: Shares
    wrong: Shares
    right: Shares
    of_fits: Numbers

    def of_arms(self, arms: NDArray[np.int64]) -> Bounded:
        """The same of some of the arms."""
        seen, wrong, right = (_part(one, arms) for one in (self.seen, self.wrong, self.right))
        return Bounded(seen, wrong, right, self.of_fits[arms])

    @property
    def without_bounds(self) -> Bounded:
        """The same with failed calls left out everywhere."""
        return Bounded(self.seen, self.seen, self.seen, self.of_fits)

    @property
    def variance(self) -> Numbers:
        """Of each arm's mean, over items alone."""
        mean, worth = self.seen.mean, _of_items(self.seen.worth, self.of_fits)
        return np.asarray((mean * (1 - mean) + IMAGINED / np.maximum(worth, IMAGINED)) / np.maximum(worth, 1.0))

    def moved(self, steps: Numbers, times: Numbers) -> Bounded:
        """The same after each of some steps [draw, arm] of the means, from labels worth so many `times` as much."""
        seen, wrong, right = (_stepped(one, self.of_fits, steps, times) for one in (self.seen, self.wrong, self.right))
        return Bounded(seen, wrong, right, self.of_fits)


@dataclass(frozen=True)
class FewLabels:
    """All pairs and all arms as estimated, in the order of `found`: the estimate of each [a, b], a minus b.

    `worst` are the pairs with every failed call against the first arm; `failed` [a, b] counts the items, with a label
    or without, on which a call of either failed. `recalls` are by label. `n_gold` of `n_all` items have a label.
    `of_fits` [a, b] is what fits take of a pair's worth, as in `Bounded`.
    """

    found: Table
    pairs: Pairwise
    worst: Pairwise
    failed: NDArray[np.int64]
    means: Bounded
    estimates: Sequence[Powered]
    n_gold: int
    n_all: int
    of_fits: Numbers
    recalls: Mapping[str, Bounded] = field(default_factory=dict)

    def of(self, label: str | None) -> Bounded:
        """The recalls of a label; the accuracies for None."""
        return self.means if label is None else self.recalls[label]

    def of_arms(self, chosen: NDArray[np.int64]) -> FewLabels:
        """The same of some of the arms, by their places."""
        square = np.ix_(chosen, chosen)
        return FewLabels(
            [[self.found[a][b] for b in chosen] for a in chosen],
            _square(self.pairs, square),
            _square(self.worst, square),
            self.failed[square],
            self.means.of_arms(chosen),
            [self.estimates[a] for a in chosen],
            self.n_gold,
            self.n_all,
            self.of_fits[square],
            {label: one.of_arms(chosen) for label, one in self.recalls.items()},
        )

    @property
    def without_bounds(self) -> FewLabels:
        """The same with failed calls left out everywhere."""
        means, recalls = self.means.without_bounds, {label: one.without_bounds for label, one in self.recalls.items()}
        return replace(self, worst=self.pairs, means=means, recalls=recalls)

    def after(self, further: int, draws: int, rng: Generator) -> FewLabels:
        """What might be estimated after `further` labels more, drawn as those given: every matrix once per draw.

        The estimates after further labels are today's and a step, normal, whose variance is what today's labels leave
        less what those will: what is believed of the truth, and the luck of the new labels, in one. Arms step together
        as their differences say; recalls step each by itself.
        """
        later = self.n_gold + further
        arms, pairs = (
            powered.growth(_of_items(of, fits), self.n_gold, later, self.n_all)
            for of, fits in ((self.means.seen.worth, self.means.of_fits), (self.pairs.n, self.of_fits))
        )
        own, between = self.means.variance * _left(arms), self._between * _left(pairs)
        steps = rng.standard_normal((draws, len(own))) @ _root((own[:, None] + own - between) / 2).T
        apart, times = steps[:, :, None] - steps[:, None, :], np.full(len(own), later / self.n_gold)
        recalls = {
            label: one.moved(rng.standard_normal(steps.shape) * np.sqrt(one.variance * _left(times)), times)
            for label, one in self.recalls.items()
        }
        after, worst = (_moved(of, apart, self.of_fits, pairs) for of in (self.pairs, self.worst))
        return replace(self, pairs=after, worst=worst, means=self.means.moved(steps, arms), recalls=recalls)

    @property
    def _between(self) -> Numbers:
        """The variance of each difference [a, b] over items alone."""
        pairs, worth = self.pairs, np.maximum(_of_items(self.pairs.n, self.of_fits), 1.0)
        n, value = np.maximum(pairs.n, 1e-9), np.nan_to_num(pairs.difference)
        wide = np.maximum((pairs.wins + pairs.losses) / n - value**2, 0.0)
        return np.asarray((wide + IMAGINED / np.maximum(worth, IMAGINED)) / worth * ~np.eye(len(worth), dtype=np.bool_))

    @property
    def sentence(self) -> str:
        """What the numbers rest on, in one line."""
        saved = [one.labels_saved for one in self.estimates if one.labels_saved is not None]
        most = max(saved, default=0)
        worth = f"up to {formatting.plural(most, 'label')} saved an arm" if most else "no label saved: gold alone"
        return (
            f"Estimated from {formatting.plural(self.n_gold, 'gold label')} and the arms' predictions on all "
            f"{formatting.plural(self.n_all, 'item')} (harness estimate); {worth}"
        )


def _left(times: Numbers) -> Numbers:
    """The part of today's variance that labels worth so many times as much take away."""
    return np.asarray(np.maximum(1 - 1 / times, 0.0))


def _root(covariance: Numbers) -> Numbers:
    """A matrix whose product with its transpose is the nearest covariance: one put together of pairs may be none."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _of_items(worth: Numbers, of_fits: Numbers) -> Numbers:
    """The worth of the labels alone, without what fits take of it."""
    return np.asarray(1 / np.maximum(1 / np.maximum(worth, 1e-9) - of_fits, 1e-9))


def _after(worth: Numbers, units: Numbers, of_fits: Numbers, times: Numbers) -> tuple[Numbers, Numbers]:
    """The worth, and the units, of labels worth so many times as much; where nothing is known, nothing is."""
    then = np.where(worth > 0, 1 / (1 / (times * _of_items(worth, of_fits)) + of_fits), 0.0)
    return np.asarray(then), np.asarray(np.where(of_fits > 0, units, (units - 1) * np.maximum(times, 1.0) + 1))


def _stepped(one: Shares, of_fits: Numbers, steps: Numbers, times: Numbers) -> Shares:
    mean = np.clip(one.mean + steps, 0.0, 1.0)
    worth, units = (np.broadcast_to(of, mean.shape) for of in _after(one.worth, one.units, of_fits, times))
    return Shares(mean, worth, worth, units, one.is_exact)


def _moved(pairs: Pairwise, steps: Numbers, of_fits: Numbers, times: Numbers) -> Pairwise:
    """The pairs after steps [draw, a, b] of their differences: as far apart as today, or as they then differ."""
    n, units = _after(pairs.n, pairs.units, of_fits, times)
    value = np.clip(np.nan_to_num(pairs.difference) + steps, -1.0, 1.0)
    wide = np.divide(pairs.wins + pairs.losses, pairs.n, out=np.ones_like(pairs.n), where=pairs.n > 0)
    apart = np.maximum(wide, np.abs(value))
    count, design, among = (np.broadcast_to(of, value.shape) for of in (n, pairs.design, units))
    return Pairwise(count, n * (apart + value) / 2, n * (apart - value) / 2, design, among, is_exact=False)


def _square(pairs: Pairwise, square: tuple[NDArray[np.int64], ...]) -> Pairwise:
    n, wins, losses, design, units = (
        of[square] for of in (pairs.n, pairs.wins, pairs.losses, pairs.design, pairs.units)
    )
    return Pairwise(n, wins, losses, design, units, is_exact=pairs.is_exact)


def _part(of: Shares, arms: NDArray[np.int64]) -> Shares:
    return Shares(of.mean[arms], of.n[arms], of.worth[arms], of.units[arms], of.is_exact)

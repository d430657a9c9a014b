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
from harness.stats.pairwise import Pairwise
from harness.stats.shares import Shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.stats.ppi import Powered

    Numbers = NDArray[np.float64]
    Table = Sequence[Sequence[Powered]]


@dataclass(frozen=True)
class Bounded:
    """Arms' means with failed calls left out, with all of them wrong, and with all of them right."""

    seen: Shares
    wrong: Shares
    right: Shares

    def of_arms(self, arms: NDArray[np.int64]) -> Bounded:
        """The same of some of the arms."""
        return Bounded(*(_part(one, arms) for one in (self.seen, self.wrong, self.right)))

    @property
    def without_bounds(self) -> Bounded:
        """The same with failed calls left out everywhere."""
        return Bounded(self.seen, self.seen, self.seen)


@dataclass(frozen=True)
class FewLabels:
    """All pairs and all arms as estimated, in the order of `found`: the estimate of each [a, b], a minus b.

    `worst` are the pairs with every failed call against the first arm; `failed` [a, b] counts the items, with a label
    or without, on which a call of either failed. `recalls` are by label. `n_gold` of `n_all` items have a label.
    """

    found: Table
    pairs: Pairwise
    worst: Pairwise
    failed: NDArray[np.int64]
    means: Bounded
    powered: Sequence[Powered]
    n_gold: int
    n_all: int
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
            [self.powered[a] for a in chosen],
            self.n_gold,
            self.n_all,
            {label: one.of_arms(chosen) for label, one in self.recalls.items()},
        )

    @property
    def without_bounds(self) -> FewLabels:
        """The same with failed calls left out everywhere."""
        means, recalls = self.means.without_bounds, {label: one.without_bounds for label, one in self.recalls.items()}
        return replace(self, worst=self.pairs, means=means, recalls=recalls)

    @property
    def sentence(self) -> str:
        """What the numbers rest on, in one line."""
        saved = [one.labels_saved for one in self.powered if one.labels_saved is not None]
        most = max(saved, default=0)
        worth = f"up to {formatting.plural(most, 'label')} saved an arm" if most else "no label saved: gold alone"
        return (
            f"Estimated from {formatting.plural(self.n_gold, 'gold label')} and the arms' predictions on all "
            f"{formatting.plural(self.n_all, 'item')} (harness estimate); {worth}"
        )


def _square(pairs: Pairwise, square: tuple[NDArray[np.int64], ...]) -> Pairwise:
    n, wins, losses, design, units = (
        of[square] for of in (pairs.n, pairs.wins, pairs.losses, pairs.design, pairs.units)
    )
    return Pairwise(n, wins, losses, design, units, is_exact=pairs.is_exact)


def _part(of: Shares, arms: NDArray[np.int64]) -> Shares:
    return Shares(of.mean[arms], of.n[arms], of.worth[arms], of.units[arms], of.is_exact)

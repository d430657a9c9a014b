"""Post-stratification: items weighed so that their labels come in the shares of production, not of the sample.

The estimate is the mean of the strata's means, each at its share (Holt and Smith 1979; Cochran 1977, section 5A.9).
Only what varies within a stratum makes it uncertain, given how many items of each were drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Strata:
    """Per item its stratum (a code), its weight (1 on the average), and how often it was seen."""

    codes: NDArray[np.int64]
    worth: Numbers
    times: Numbers

    def rows(self, chosen: NDArray[np.int64] | NDArray[np.bool_]) -> Strata:
        """The strata of some of the items, or of all in another order."""
        return Strata(self.codes[chosen], self.worth[chosen], self.times[chosen])

    def seen(self, times: Numbers) -> Strata:
        """The same items, seen so often."""
        return replace(self, times=times)

    def residuals(self, values: Numbers, known: NDArray[np.bool_]) -> Numbers:
        """Items x columns: an item's weighed distance from the mean of its stratum, at n - 1 degrees of freedom."""
        count = int(self.codes.max(initial=-1)) + 1
        times = known * self.times[:, None]
        n, sums = np.zeros((count, values.shape[1])), np.zeros((count, values.shape[1]))
        np.add.at(n, self.codes, times)
        np.add.at(sums, self.codes, np.where(known, values, 0.0) * times)
        mean = np.divide(sums, n, out=np.zeros_like(sums), where=n > 1)
        scale = np.sqrt(np.divide(n, n - 1, out=np.ones_like(n), where=n > 1))
        gap = np.where(known, values - mean[self.codes], 0.0)
        return np.asarray(self.worth[:, None] * scale[self.codes] * gap)


def few(squares: Numbers, fourths: Numbers) -> tuple[Numbers, Numbers]:
    """What an imagined unit weighs, squared, and how many units the variance rests on.

    From the sums of the units' weights to the second and the fourth power. A label with few items and a large share
    makes nearly all of the variance, and two items that came out alike would say that there is none: so what is
    imagined (see `margins.design_effect`) weighs as those items do that the variance comes from, and the degrees of
    freedom are Satterthwaite's (1946) for strata that vary alike. With equal weights both are those of plain units.
    """
    known = fourths > 0
    return (
        np.divide(fourths, squares, out=np.ones_like(squares), where=known),
        np.divide(squares**2, fourths, out=np.ones_like(squares), where=known),
    )


def of(labels: ArrayLike, mix: Mapping[str, float]) -> Strata:
    """The strata of items with these gold labels, weighed to the shares of `mix`.

    Labels that the mix does not name share what it leaves, in the proportions they have among the items.
    `ValueError` when shares are below 0 or sum to more than 1, or a label with a share has no item.
    """
    names, codes, counts = np.unique(np.asarray(labels, dtype=str), return_inverse=True, return_counts=True)
    named = dict(mix)
    absent = sorted(label for label, share in named.items() if share > 0 and label not in set(names))
    if absent:
        raise ValueError(f"{absent[0]!r} has a share of {named[absent[0]]:g}, and no item has that label")
    total, is_named = sum(named.values()), np.isin(names, list(named))
    if min(named.values(), default=0.0) < 0 or total > 1 + 1e-6 or (is_named.all() and abs(total - 1) > 1e-6):
        raise ValueError(f"the shares sum to {total:.4g}; expected 1, or less where labels are left out")
    n = len(codes)
    rest = counts[~is_named].sum()
    shares = np.array(
        [named.get(str(name), (1 - total) * count / max(rest, 1)) for name, count in zip(names, counts, strict=True)]
    )
    return Strata(np.asarray(codes, dtype=np.int64), np.maximum(shares * n / counts, 0.0)[codes], np.ones(n))

"""Two arms on the same items: tests of no difference, and intervals of the difference a minus b.

The items on which both are right or both wrong say nothing about who is better; the tests use the
others alone. Margins stand in `noninferiority`, planning in `power`.

Tango 1998 is Statistics in Medicine 17, 891; Newcombe 1998c is the same volume, 2635.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

import numpy as np
import scipy

from harness.stats import intervals
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike


class Pairs(Protocol):
    """What the score statistic reads: items, and on how many of them only a or only b was right."""

    @property
    def n(self) -> float:
        """All items."""
        ...

    @property
    def only_a(self) -> float:
        """Items that only a got right."""
        ...

    @property
    def only_b(self) -> float:
        """Items that only b got right."""
        ...

    @property
    def discordant(self) -> float:
        """Items on which the arms differ."""
        ...

    @property
    def swapped(self) -> Pairs:
        """The same items with the arms' places exchanged."""
        ...


@dataclass(frozen=True, slots=True)
class Weights:
    """Sums over items of how much better a was, and how much better b was: `Pairs` with fractions."""

    n: float
    only_a: float
    only_b: float

    @property
    def discordant(self) -> float:
        """The sum of all differences, whatever their sign."""
        return self.only_a + self.only_b

    @property
    def swapped(self) -> Weights:
        """The same items with the arms' places exchanged."""
        return Weights(self.n, self.only_b, self.only_a)


@dataclass(frozen=True, slots=True)
class Table2x2:
    """How many items both arms got right, only one of them, or neither."""

    both: int
    only_a: int
    only_b: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.only_a, self.only_b, self.neither) < 0:
            raise ValueError(f"{self} has a count below 0")

    @classmethod
    def of(cls, a: ArrayLike, b: ArrayLike) -> Table2x2:
        """The table of two equally long arrays of bool that say on which items each arm was right."""
        right_a, right_b = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
        if right_a.shape != right_b.shape:
            raise ValueError(f"arrays of shapes {right_a.shape} and {right_b.shape}; pairs have one shape")
        cells = (right_a & right_b, right_a & ~right_b, ~right_a & right_b, ~right_a & ~right_b)
        return cls(*(int(cell.sum()) for cell in cells))

    @property
    def n(self) -> int:
        """All items."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def discordant(self) -> int:
        """The items on which the arms differ."""
        return self.only_a + self.only_b

    @property
    def difference(self) -> float | None:
        """The accuracy of a minus that of b; None without items."""
        return (self.only_a - self.only_b) / self.n if self.n else None

    @property
    def swapped(self) -> Table2x2:
        """The same items with the arms' places exchanged."""
        return Table2x2(self.both, self.only_b, self.only_a, self.neither)


def mcnemar_exact(table: Table2x2) -> float:
    """The two-sided p of a fair coin over the discordant items (McNemar 1947); 1 without any."""
    fewer = min(table.only_a, table.only_b)
    return min(1.0, 2 * _coin(fewer, table.discordant))


def mcnemar_mid_p(table: Table2x2) -> float:
    """The exact p less the observed outcome's probability (Fagerland, Lydersen and Laake 2013); 1 when b equals c."""
    if table.only_a == table.only_b:
        return 1.0
    fewer = min(table.only_a, table.only_b)
    return _coin(fewer, table.discordant) + _coin(fewer - 1, table.discordant)


def mcnemar_asymptotic(table: Table2x2, correction: bool = False) -> float:
    """The p of the chi-square with 1 degree of freedom, on request with Edwards's (1948) correction; 1 when b is c."""
    gap = abs(table.only_a - table.only_b)
    if gap == 0:
        return 1.0
    return erfc((gap - correction) / sqrt(2 * table.discordant))


def _coin(heads: int, tosses: int) -> float:
    """The probability of at most so many heads."""
    return float(scipy.special.bdtr(heads, tosses, 0.5)) if heads >= 0 else 0.0


def tango(table: Table2x2, *, name: str = "difference", confidence: float = 0.95) -> Estimate:
    """The difference with its score interval (Tango 1998): the product's default.

    It has a width where no pair disagrees, ± z² / (n + z²), and agrees with `noninferiority`.
    """
    return _estimate(table, "Tango", tango_limits, name, confidence)


def newcombe(table: Table2x2, *, name: str = "difference", confidence: float = 0.95) -> Estimate:
    """The difference, its arms' Wilson intervals joined by their correlation (Newcombe 1998c, method 10)."""
    return _estimate(table, "Newcombe 10", _newcombe, name, confidence)


def bonett_price(table: Table2x2, *, name: str = "difference", confidence: float = 0.95) -> Estimate:
    """The difference with the normal interval after one more item for either arm (Bonett and Price 2012)."""
    return _estimate(table, "Bonett–Price", _bonett_price, name, confidence)


def wald(table: Table2x2, *, name: str = "difference", confidence: float = 0.95) -> Estimate:
    """The difference with the plain normal interval, to compare others with: it vanishes when no pair disagrees."""
    return _estimate(table, "Wald", _wald, name, confidence)


def score(table: Pairs, difference: float) -> tuple[float, float]:
    """How far only_a - only_b lies above what a true difference expects, and its standard deviation there.

    The nuisance P(only b) is the maximum likelihood estimate under that difference (Tango 1998).
    """
    n, spread = table.n, difference * (1 - difference)
    linear = (2 * n - table.only_a + table.only_b) * difference - table.discordant
    root = sqrt(max(0.0, linear**2 + 8 * n * table.only_b * spread))
    only_b = max(0.0, (root - linear) / (4 * n)) if n else 0.0
    return table.only_a - table.only_b - n * difference, sqrt(n * max(0.0, 2 * only_b + spread))


def cochrans_q(right: ArrayLike) -> tuple[float, float]:
    """Cochran's (1950) Q over an items x arms array of bool, and its p: small when the arms differ at all.

    With two arms it is McNemar's chi-square without correction. Where the arms agree on every item,
    Q is 0 and p is 1.
    """
    hits = np.asarray(right, dtype=np.int64)
    if hits.ndim != 2 or hits.shape[1] < 2:
        raise ValueError(f"an array of shape {hits.shape}; expected items x arms, with two arms or more")
    k = hits.shape[1]
    per_arm, per_item = hits.sum(axis=0), hits.sum(axis=1)
    spread = int((per_item * (k - per_item)).sum())
    if spread == 0:
        return 0.0, 1.0
    statistic = (k - 1) * int(k * (per_arm**2).sum() - per_arm.sum() ** 2) / spread
    return statistic, float(scipy.special.chdtrc(k - 1, statistic))


def _estimate(
    table: Table2x2,
    method: str,
    limits: Callable[[Table2x2, float, float], tuple[float, float]],
    name: str,
    confidence: float,
) -> Estimate:
    difference = table.difference
    if difference is None:
        return Estimate(name, None, None, None, 0, method)
    low, high = limits(table, difference, NormalDist().inv_cdf(0.5 + confidence / 2))
    return Estimate(name, difference, max(-1.0, low), min(1.0, high), table.n, method)


def tango_limits(table: Pairs, difference: float, z: float) -> tuple[float, float]:
    """The two ends of `tango` at z standard deviations, for one item or more."""

    def highest(table: Pairs, difference: float) -> float:
        def plausible(candidate: float) -> bool:
            gap, deviation = score(table, candidate)
            return gap + z * deviation > 0

        return intervals.boundary(plausible, difference, 1.0)

    return -highest(table.swapped, -difference), highest(table, difference)


def _newcombe(table: Table2x2, difference: float, z: float) -> tuple[float, float]:
    def margins(right: int) -> tuple[float, float]:
        low, high = intervals.wilson_limits(right, table.n, z)
        return right / table.n - low, high - right / table.n

    below_a, above_a = margins(table.both + table.only_a)
    below_b, above_b = margins(table.both + table.only_b)
    phi = _phi(table)

    def joined(x: float, y: float) -> float:
        return sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))

    return difference - joined(below_a, above_b), difference + joined(above_a, below_b)


def _phi(table: Table2x2) -> float:
    """The correlation of the arms' being right, shrunk where it is positive (Newcombe 1998c)."""
    right_a, right_b = table.both + table.only_a, table.both + table.only_b
    product = right_a * (table.n - right_a) * right_b * (table.n - right_b)
    if product == 0:
        return 0.0
    together = table.both * table.neither - table.only_a * table.only_b
    shrunk = max(0.0, together - table.n / 2) if together > 0 else together
    return shrunk / sqrt(product)


def _bonett_price(table: Table2x2, difference: float, z: float) -> tuple[float, float]:  # noqa: ARG001
    only_a, only_b = (table.only_a + 1) / (table.n + 2), (table.only_b + 1) / (table.n + 2)
    return _normal(only_a, only_b, table.n + 2, z)


def _wald(table: Table2x2, difference: float, z: float) -> tuple[float, float]:  # noqa: ARG001
    return _normal(table.only_a / table.n, table.only_b / table.n, table.n, z)


def _normal(only_a: float, only_b: float, n: int, z: float) -> tuple[float, float]:
    centre = only_a - only_b
    margin = z * sqrt(max(0.0, only_a + only_b - centre**2) / n)
    return centre - margin, centre + margin

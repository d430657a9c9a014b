"""Is a no more than a margin worse than b? A margin is a positive share: .02 gives away two points."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

from harness.stats import paired

if TYPE_CHECKING:
    from harness.stats.paired import Table2x2


def tango_test(table: Table2x2, margin: float) -> tuple[float, float]:
    """The score z and one-sided p of "a is worse than b by the margin or more" (Tango 1998).

    A small p speaks for non-inferiority. Without items, or with margin 0 and no discordant pair,
    nothing speaks either way: z is 0 and p is .5.
    """
    if not 0 <= margin < 1:
        raise ValueError(f"a margin of {margin}; expected a share of the items, from 0 to below 1")
    gap, deviation = paired.score(table, -margin)
    z = gap / deviation if deviation else 0.0
    return z, NormalDist().cdf(-z)

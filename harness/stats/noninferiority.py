"""Is a no more than a margin worse than b? A margin is a positive share: .02 gives away two points."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from harness.stats import paired

if TYPE_CHECKING:
    from harness.stats.paired import Table2x2

Verdict = Literal["pass", "fail", "inconclusive"]


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


def verdict(table: Table2x2, margin: float, confidence: float = 0.95) -> Verdict:
    """What the table shows about a, the candidate, against b, at the two-sided `confidence`.

    "pass": the lower end of the Tango interval of a minus b lies above -margin: a is not worse by
    the margin. "fail": the upper end lies below -margin: a is worse by more than it. Else
    "inconclusive": more items are needed. Each end is a one-sided limit at (1 - confidence) / 2:
    at .95 a candidate exactly at the margin passes in about 2.5% of experiments, in fewer where
    hardly a pair disagrees, and fails in 2.5%, there in up to 4%.
    """
    z, _ = tango_test(table, margin)
    limit = NormalDist().inv_cdf(0.5 + confidence / 2)
    if z > limit:
        return "pass"
    return "fail" if z < -limit else "inconclusive"

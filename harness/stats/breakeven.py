"""At which volume two bills are the same: fixed costs of one against the running costs of the other."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from harness.types import Estimate

METHOD = "fixed gap over running gap, interval of the running gap"


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The volume per period at which a and b cost the same.

    `volume` has no value where the bills never cross; `reason` then says why. Where they do, the arm
    with the lower running cost is the cheaper one above it. `high` is None where the running costs
    cannot be told apart, so that the crossing may lie anywhere beyond.
    """

    volume: Estimate
    reason: str | None = None


def break_even(fixed_gap: float, running_gap: Estimate) -> BreakEven:
    """From what a costs more than b: `fixed_gap` per period, `running_gap` per item.

    The bills are equal at -fixed_gap / running_gap items. The fixed costs are known; the mean cost of
    an item is not, and the limits of its interval, a monotone function of them, are those of the volume.
    """
    gap, n = running_gap.value, running_gap.n
    if gap is None:
        return BreakEven(Estimate("break-even", None, None, None, n, METHOD), "a price is unknown")
    if gap == 0:
        return BreakEven(Estimate("break-even", None, None, None, n, METHOD), "an item costs the same")
    volume = -fixed_gap / gap
    if volume <= 0:
        return BreakEven(Estimate("break-even", None, None, None, n, METHOD), "one is cheaper at every volume")
    ends = [_crossing(fixed_gap, end, gap) for end in (running_gap.low, running_gap.high) if end is not None]
    known = [end for end in ends if end is not None]
    low = min(known) if known else None
    high = max(known) if len(known) == 2 else None
    return BreakEven(Estimate("break-even", volume, low, high, n, METHOD))


def _crossing(fixed_gap: float, end: float, gap: float) -> float | None:
    """Where the bills would cross were the running gap at this end of its interval; None for never."""
    return -fixed_gap / end if end * gap > 0 else None


def gap(a: Estimate, b: Estimate) -> Estimate:
    """The mean of a minus that of b, from their intervals by square-and-add (Zou and Donner 2008).

    As if they were measured on different items: what the two have in common would make it narrower.
    """
    n, method = min(a.n, b.n), "square-and-add"
    if a.value is None or b.value is None:
        return Estimate("gap", None, None, None, n, method)
    difference = a.value - b.value
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Estimate("gap", difference, None, None, n, method)
    below = hypot(a.value - a.low, b.high - b.value)
    above = hypot(a.high - a.value, b.value - b.low)
    return Estimate("gap", difference, difference - below, difference + above, n, method)

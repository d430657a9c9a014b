"""Which setting of a cascade to take: the rule, on the split it is chosen on.

Of the settings that keep every limit, the one to take is the cheapest that is no more than a margin
less accurate than the most accurate of them; with a least accuracy, the cheapest that reaches it.
Among equals the one that asks fewer of the later stages, then the more accurate one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import measures, wording
from harness.analysis.fusion.sweep import sweep as swept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.analysis.fusion.members import Members
    from harness.analysis.fusion.sweep import Sweep
    from harness.analysis.measures import Measure
    from harness.ground.constraints import Constraints

    Numbers = NDArray[np.float64]
    Rows = NDArray[np.intp]

ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Choice:
    """The row of the sweep that was taken and why; no row when none keeps the limits."""

    row: int | None
    reason: str


def choose(sweep: Sweep, limits: Constraints) -> Choice:
    """The setting that the rule takes."""
    if sweep.members.n == 0:
        return Choice(None, "there is no item that every stage answered without failing")
    accuracy = _weighed(sweep, sweep.members, limits)
    fits, reason = _keeping(sweep, limits)
    if reason:
        return Choice(None, reason)
    best = _first(sweep, np.flatnonzero(fits)[np.argsort(-accuracy[fits], kind="stable")], limits)
    if best is None:
        return Choice(None, f"no threshold that keeps the other limits has a p95 of {limits.max_p95_s:g} s or less")
    said = wording.of_headline(sweep.members.task)
    least = measures.least_credit(limits, sweep.members.task)
    if least is not None and accuracy[best] < least - ROUNDING:
        return Choice(None, f"no threshold reaches {said.a_noun} of {least:g}; the most is {accuracy[best]:.3f}")
    floor = accuracy[best] - limits.margin if least is None else least
    close = np.flatnonzero(fits & (accuracy >= floor - ROUNDING))
    row = _first(sweep, close[_cheapest_first(sweep, close)], limits)
    mixed = f", weighed to {wording.mix(limits.label_mix)}" if limits.label_mix else ""
    if least is not None:
        return Choice(row, f"the cheapest that reaches {least:g}{mixed}")
    most = f"{said.superlative} ({accuracy[best]:.3f}{mixed})"
    return Choice(row, f"the cheapest that is no more than {limits.margin:g} {said.worse} than {most}")


def _keeping(sweep: Sweep, limits: Constraints) -> tuple[NDArray[np.bool_], str]:
    """The settings that keep the limits on price and on metrics; where none does, which limit leaves none."""
    fits = np.ones(len(sweep), dtype=bool)
    if limits.max_usd_per_1000 is not None:
        # An unknown price keeps no limit.
        fits &= 1000 * sweep.cost_usd <= limits.max_usd_per_1000 + ROUNDING
        if not fits.any():
            return fits, f"no threshold costs as little as ${limits.max_usd_per_1000:g} per 1,000"
    for measure, limit in measures.limits(limits, sweep.members.task):
        fits &= _merits(sweep, measure, limits) >= float(measure.merit(np.array(limit))) - ROUNDING
        if not fits.any():
            which = "at least" if measure.is_more_better else "at most"
            return fits, f"no threshold that keeps the other limits has a {measure.noun} of {which} {limit:g}"
    return fits, ""


def _merits(sweep: Sweep, measure: Measure, limits: Constraints) -> Numbers:
    """What another metric comes to at each setting, from 0 to 1, the best."""
    members = sweep.members
    judged = [measure.judged(members.answers_of(arm)).rows["credit"].to_numpy(float) for arm in members.arms]
    arms = tuple(replace(arm, credit=merits) for arm, merits in zip(members.arms, judged, strict=True))
    return _weighed(sweep, replace(members, arms=arms), limits)


def _weighed(sweep: Sweep, members: Members, limits: Constraints) -> Numbers:
    """The mean credit of these members at each setting of the sweep, weighed to the mix of labels if one is set."""
    arms = members.arms
    if limits.label_mix:
        worth = measures.strata_of(members.rows["gold"].to_numpy(object), limits.label_mix).worth
        arms = tuple(replace(arm, credit=arm.credit * worth) for arm in arms)
    return sweep.accuracy if arms is sweep.members.arms else swept(replace(members, arms=arms)).accuracy


def _first(sweep: Sweep, rows: Rows, limits: Constraints) -> int | None:
    """The first of the rows that keeps the limit on waiting."""
    if limits.max_p95_s is None:
        return int(rows[0]) if len(rows) else None
    for row in rows:
        p95_s = sweep.p95_s(int(row))
        if p95_s is not None and p95_s <= limits.max_p95_s:
            return int(row)
    return None


def _cheapest_first(sweep: Sweep, rows: Rows) -> Rows:
    """The order of the rows by cost, unknown costs last and among themselves by calls of the later stages."""
    cost = np.nan_to_num(sweep.cost_usd[rows], nan=np.inf)
    later = [sweep.asked[rows, stage] for stage in range(1, sweep.asked.shape[1])]
    return np.lexsort((-sweep.accuracy[rows], *later, cost))

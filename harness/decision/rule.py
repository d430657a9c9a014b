"""Which arm should serve the task: from results and constraints to a verdict with its reasons. Pure.

The rule. Of the arms that are not shown to break a constraint, the one to serve is the cheapest that
is shown to be no more than a margin worse than the most accurate; bills that differ by less than
what matters count as equal, and then accuracy decides. The verdict is "decided" when that arm
surely keeps the constraints, is shown to be no more than the margin worse than every other arm left,
and no cheaper arm might be good enough too. Otherwise it is "undecided", with what would decide it.

"Shown" is Tango's score test at 2.5% one-sided, corrected for the number of arms (Holm 1979), or the
cluster-robust interval where items come in groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Literal

from harness import ownership
from harness.decision.candidates import candidates
from harness.decision.changes import Case, changes
from harness.decision.rivals import rivals
from harness.decision.words import Found, broken, reasons

if TYPE_CHECKING:
    from harness.analysis import Results
    from harness.constraints import Constraints
    from harness.decision.candidates import Candidate


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict: which arm, how sure, why, and what would change it.

    `open` names the arms that might still be the better choice; `more_items` would probably tell.
    """

    recommendation: str | None
    verdict: Literal["decided", "undecided"]
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    what_would_change_it: tuple[str, ...]
    more_items: int | None = None
    open: tuple[str, ...] = ()


def decide(results: Results, constraints: Constraints) -> Decision:
    """The verdict over the arms of one split; the repeats and fits of one arm are one candidate."""
    results = results.by_arm
    everyone = candidates(results, constraints)
    left = [one for one in everyone if one.state != "broken" and one.accuracy.value is not None]
    if not left:
        return Decision(None, "decided", tuple(map(broken, everyone)), tuple(everyone), ())
    best = max(left, key=lambda one: (one.accuracy.value or 0.0, one.arm))
    challengers = rivals(results, [(one, best) for one in left if one is not best], constraints)
    closeness = {rival.comparison.a: rival.is_close for rival in challengers} | {best.arm: True}
    acceptable = [one for one in left if closeness[one.arm]]
    chosen = min(acceptable, key=lambda one: (_bill(one, constraints), -(one.accuracy.value or 0.0), one.arm))
    against = rivals(results, [(chosen, one) for one in left if one is not chosen], constraints)
    cheaper = {one.arm for one in left if _bill(one, constraints) < _bill(chosen, constraints)}
    # Open: an arm that might be better by more than the margin, and a cheaper one that might be good enough.
    worse = [rival for rival in against if not rival.is_close]
    maybe = [rival for rival in challengers if rival.is_close is None and rival.comparison.a in cheaper]
    is_decided = not worse and not maybe and chosen.state == "kept"
    needed = [rival.more_items for rival in (*worse, *maybe)]
    finalists = [one for one in left if one is not chosen and closeness[one.arm] is not False]
    machine_usd = ownership.machine_usd(results.cpu_usd_per_hour)
    drawn = results.curves.drawn if results.curves is not None else ()
    said = reasons(Found(chosen, best, worse, maybe, against), constraints)
    return Decision(
        chosen.arm,
        "decided" if is_decided else "undecided",
        (*said, *(broken(one) for one in everyone if one not in left)),
        tuple(everyone),
        tuple(changes(Case(chosen, everyone, finalists, against, constraints, machine_usd, drawn))),
        max((n for n in needed if n is not None), default=None) if None not in needed else None,
        tuple(dict.fromkeys([*(rival.comparison.b for rival in worse), *(rival.comparison.a for rival in maybe)])),
    )


def _bill(one: Candidate, constraints: Constraints) -> float:
    """The monthly bill in units of what matters; an unknown price is never the cheaper one."""
    if one.monthly_usd is None:
        return float("inf")
    return floor(one.monthly_usd / constraints.usd_that_matters) if constraints.usd_that_matters else one.monthly_usd

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

from dataclasses import dataclass, replace
from math import ceil, floor
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness import comparison, numbers
from harness.comparison import Answers
from harness.stats import intervals, multiplicity, noninferiority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.analysis import Results, RunResult
    from harness.comparison import Comparison
    from harness.constraints import Constraints
    from harness.types import Estimate

State = Literal["kept", "unsure", "broken"]
ALPHA, POWER = 0.025, 0.8
NEVER = 1_000_000  # items that nobody will label


@dataclass(frozen=True, slots=True)
class Limit:
    """One constraint on one arm: what was asked, what was found, and whether it is kept."""

    name: str
    asked: str
    found: str
    state: State


@dataclass(frozen=True, slots=True)
class Candidate:
    """An arm that was considered. `monthly_usd` is serving and training labels, spread over the months."""

    run_id: str
    arm: str
    model: str | None
    accuracy: Estimate
    usd_per_1000: float | None
    p95_s: float | None
    n_train: int | None
    monthly_usd: float | None
    limits: tuple[Limit, ...]
    dominated_by: str | None = None

    @property
    def state(self) -> State:
        """The worst of its limits."""
        states = {limit.state for limit in self.limits}
        return "broken" if "broken" in states else "unsure" if "unsure" in states else "kept"


@dataclass(frozen=True, slots=True)
class Rival:
    """The recommended arm (`a` of the comparison) against another.

    `is_close` is true where the recommended arm is shown to be no more than the margin worse, None
    where that is open; `more_items` would probably settle it.
    """

    comparison: Comparison
    is_close: bool | None
    more_items: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict: which arm, how sure, why, and what would change it."""

    recommendation: str | None
    verdict: Literal["decided", "undecided"]
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    what_would_change_it: tuple[str, ...]
    more_items: int | None = None


def decide(results: Results, constraints: Constraints) -> Decision:
    """The verdict over the arms of one split."""
    candidates = _with_dominance(results, [_candidate(results, run, constraints) for run in results.runs])
    left = [one for one in candidates if one.state != "broken" and one.accuracy.value is not None]
    if not left:
        return Decision(None, "decided", tuple(map(_broken, candidates)), tuple(candidates), ())
    best = max(left, key=lambda one: (one.accuracy.value or 0.0, one.arm))
    challengers = _rivals(results, [(one, best) for one in left if one is not best], constraints)
    close = {rival.comparison.a for rival in challengers if rival.is_close}
    acceptable = [best, *(one for one in left if one.arm in close)]
    chosen = min(acceptable, key=lambda one: (_bill(one, constraints), -(one.accuracy.value or 0.0), one.arm))
    rivals = _rivals(results, [(chosen, one) for one in left if one is not chosen], constraints)
    cheaper = {one.arm for one in left if _bill(one, constraints) < _bill(chosen, constraints)}
    # Open: an arm that might be better by more than the margin, and a cheaper one that might be good enough.
    worse = [rival for rival in rivals if not rival.is_close]
    maybe = [rival for rival in challengers if rival.is_close is None and rival.comparison.a in cheaper]
    is_decided = not worse and not maybe and chosen.state == "kept"
    needed = [rival.more_items for rival in (*worse, *maybe)]
    return Decision(
        chosen.arm,
        "decided" if is_decided else "undecided",
        tuple(
            _reasons(chosen, best, worse, maybe, constraints) + [_broken(one) for one in candidates if one not in left]
        ),
        tuple(candidates),
        tuple(_changes(chosen, candidates, rivals, constraints)),
        max((n for n in needed if n is not None), default=None) if None not in needed else None,
    )


def _candidate(results: Results, result: RunResult, constraints: Constraints) -> Candidate:
    run, per_1000 = result.run, result.cost_per_1000_usd
    labels_usd = (run.n_train or 0) * constraints.usd_per_label / constraints.months
    return Candidate(
        run.run_id,
        run.arm,
        run.model,
        result.accuracy,
        per_1000,
        result.latency_s["p95"],
        run.n_train,
        None if per_1000 is None else per_1000 * constraints.monthly_volume / 1000 + labels_usd,
        tuple(_limits(results, result, constraints)),
    )


def _limits(results: Results, result: RunResult, constraints: Constraints) -> Iterator[Limit]:
    if constraints.min_accuracy is not None:
        yield _at_least("accuracy", constraints.min_accuracy, result.accuracy)
    for label, least in constraints.min_recall.items():
        rows = _answers(results, result.run.run_id, result.run.arm).rows
        mine = rows[rows["gold"] == label].dropna(subset=["correct"])
        recall = intervals.wilson(int(mine["correct"].astype(bool).sum()), len(mine), name="recall")
        yield _at_least(f"recall of {label}", least, recall)
    if constraints.max_usd_per_1000 is not None:
        asked, found = constraints.max_usd_per_1000, result.cost_per_1000_usd
        yield Limit("$ per 1,000", f"at most {numbers.dollars(asked)}", numbers.dollars(found), _at_most(found, asked))
    if constraints.max_p95_s is not None:
        asked, found = constraints.max_p95_s, result.latency_s["p95"]
        yield Limit("p95", f"at most {numbers.duration(asked)}", numbers.duration(found), _at_most(found, asked))


def _at_least(name: str, least: float, found: Estimate) -> Limit:
    state: State = "unsure"
    if found.low is not None and found.low >= least:
        state = "kept"
    elif found.high is not None and found.high < least:
        state = "broken"
    return Limit(name, f"at least {numbers.share(least)}", numbers.with_interval(found), state)


def _at_most(found: float | None, most: float) -> State:
    return "unsure" if found is None else "kept" if found <= most else "broken"


def _with_dominance(results: Results, candidates: list[Candidate]) -> list[Candidate]:
    """Each with the first arm that is shown to be more accurate and is neither dearer nor slower."""
    found = []
    for one in candidates:
        rivals = [other for other in candidates if other is not one and _is_no_worse(other, one)]
        made = (
            comparison.against(_rows(results, one), [_rows(results, other) for other in rivals], _rng())
            if rivals
            else []
        )
        shown = [
            c.b for c in made if c.difference.high is not None and c.difference.high < 0 and (c.adjusted_p or 1) <= 0.05
        ]
        found.append(replace(one, dominated_by=shown[0] if shown else None))
    return found


def _is_beaten(one: Comparison) -> bool:
    """Whether b is shown to be more accurate than a."""
    is_behind = one.difference.value is not None and one.difference.value < 0
    return is_behind and one.adjusted_p is not None and one.adjusted_p <= 2 * ALPHA


def _is_no_worse(other: Candidate, one: Candidate) -> bool:
    """Known to cost no more and to answer no slower."""
    if other.usd_per_1000 is None or one.usd_per_1000 is None or other.usd_per_1000 > one.usd_per_1000:
        return False
    return other.p95_s is not None and one.p95_s is not None and other.p95_s <= one.p95_s


def _rivals(results: Results, pairs: Sequence[tuple[Candidate, Candidate]], constraints: Constraints) -> list[Rival]:
    """Whether the first of each pair is shown to be no more than the margin worse than the second."""
    made = [comparison.compare(_rows(results, a), _rows(results, b), _rng()) for a, b in pairs]
    adjusted = multiplicity.holm([_p_of_being_worse(one, constraints.margin) for one in made])
    return [
        Rival(one, _is_close(one, p, constraints.margin), _more_items(one, constraints.margin, len(made)))
        for one, p in zip(made, adjusted, strict=True)
    ]


def _p_of_being_worse(one: Comparison, margin: float) -> float | None:
    """One-sided p of "a is worse than b by the margin or more"."""
    difference = one.difference
    if difference.value is None or difference.low is None or difference.high is None:
        return None
    if difference.method == "Tango":
        return noninferiority.tango_test(one.table, margin)[1]
    deviation = (difference.high - difference.low) / (2 * NormalDist().inv_cdf(0.975))
    return NormalDist().cdf(-(difference.value + margin) / deviation) if deviation else 0.5


def _is_close(one: Comparison, adjusted_p: float | None, margin: float) -> bool | None:
    if adjusted_p is not None and adjusted_p <= ALPHA:
        return True
    is_shown_worse = one.difference.high is not None and one.difference.high < -margin
    return False if is_shown_worse else None


def _more_items(one: Comparison, margin: float, comparisons: int) -> int | None:
    """How many further items would show it with 80% power, were everything as it was seen; None for too many."""
    effect = (one.difference.value or 0.0) + margin
    if effect <= 0 or one.n == 0:
        return None
    disagreement = max(one.table.discordant, 1) / one.n
    z = NormalDist().inv_cdf(1 - ALPHA / comparisons) + NormalDist().inv_cdf(POWER)
    needed = ceil(z**2 * (disagreement - (one.difference.value or 0.0) ** 2) / effect**2)
    return max(needed - one.n, 1) if needed < NEVER else None


def _bill(one: Candidate, constraints: Constraints) -> float:
    """The monthly bill in units of what matters; an unknown price is never the cheaper one."""
    if one.monthly_usd is None:
        return float("inf")
    return floor(one.monthly_usd / constraints.usd_that_matters) if constraints.usd_that_matters else one.monthly_usd


def _reasons(
    chosen: Candidate, best: Candidate, worse: Sequence[Rival], maybe: Sequence[Rival], constraints: Constraints
) -> list[str]:
    margin = numbers.share(constraints.margin, 2)
    said = [
        f"{chosen.arm} is right on {numbers.with_interval(chosen.accuracy)} of {chosen.accuracy.n:,} items, costs "
        f"{numbers.dollars(chosen.usd_per_1000)} per 1,000 and answers within {numbers.duration(chosen.p95_s)} (p95)"
    ]
    if chosen is best:
        said.append("It is the most accurate of the arms that may be served")
    else:
        said.append(
            f"It is shown to be no more than {margin} worse than {best.arm}, the most accurate, and costs "
            f"{numbers.dollars(chosen.monthly_usd)} instead of {numbers.dollars(best.monthly_usd)} a month"
        )
    said += [
        f"Open: whether it keeps {limit.name} {limit.asked} (found {limit.found})"
        for limit in chosen.limits
        if limit.state == "unsure"
    ]
    said += [
        f"Open: {one.comparison.b} might be better by more than {margin}: its lead is "
        f"{_ahead(one.comparison)}{_settled_by(one)}"
        for one in worse
    ]
    said += [
        f"Open: {one.comparison.a} is cheaper and might be good enough: its lead over {one.comparison.b} is "
        f"{numbers.with_interval(one.comparison.difference)}{_settled_by(one)}"
        for one in maybe
    ]
    return said


def _ahead(one: Comparison) -> str:
    found = one.difference
    if found.value is None or found.low is None or found.high is None:
        return numbers.UNKNOWN
    return f"{numbers.share(-found.value)} ({numbers.share(-found.high)} to {numbers.share(-found.low)})"


def _settled_by(rival: Rival) -> str:
    if rival.more_items is None:
        return "; no number of items that anybody labels would settle it as things stand"
    return f"; about {rival.more_items:,} more labelled items would probably settle it"


def _broken(one: Candidate) -> str:
    limits = [limit for limit in one.limits if limit.state == "broken"]
    said = "; ".join(f"{limit.name} {limit.asked}, found {limit.found}" for limit in limits)
    return f"{one.arm} is out: {said or 'it has no accuracy'}"


def _changes(
    chosen: Candidate, candidates: Sequence[Candidate], rivals: Sequence[Rival], constraints: Constraints
) -> list[str]:
    said = []
    lows = [rival.comparison.difference.low for rival in rivals if rival.comparison.difference.low is not None]
    if lows and min(lows) <= -constraints.margin:
        wide_enough = numbers.share(ceil(-min(lows) * 1000) / 1000)
        said.append(f"a margin above {wide_enough} instead of {numbers.share(constraints.margin)}")
    prompts = [one for one in candidates if one.model and one.arm != chosen.arm and one.accuracy.value is not None]
    if prompts and not chosen.model and chosen.accuracy.value is not None:
        nearest = max(prompts, key=lambda one: one.accuracy.value or 0.0)
        gap = chosen.accuracy.value - (nearest.accuracy.value or 0.0) - constraints.margin
        if gap > 0:
            said.append(f"a prompt that is right on {numbers.share(gap)} more of the items than {nearest.arm}")
    said += _label_price(chosen, candidates, constraints)
    return said


def _label_price(chosen: Candidate, candidates: Sequence[Candidate], constraints: Constraints) -> list[str]:
    """From which price per label on an arm that needs none costs less."""
    without = [one for one in candidates if not one.n_train and one.monthly_usd is not None and one.state != "broken"]
    if not chosen.n_train or chosen.monthly_usd is None or not without:
        return []
    rival = max(without, key=lambda one: one.accuracy.value or 0.0)
    serving = chosen.monthly_usd - chosen.n_train * constraints.usd_per_label / constraints.months
    price = ((rival.monthly_usd or 0.0) - serving) * constraints.months / chosen.n_train
    if price <= constraints.usd_per_label:
        return []
    loss = (chosen.accuracy.value or 0.0) - (rival.accuracy.value or 0.0)
    return [
        f"labels dearer than {numbers.dollars(price)} each: then {rival.arm}, which needs none, costs less over "
        f"{constraints.months} months, at {numbers.share(loss)} lower accuracy"
    ]


def _rows(results: Results, one: Candidate) -> Answers:
    return _answers(results, one.run_id, one.arm)


def _answers(results: Results, run_id: str, arm: str) -> Answers:
    return Answers(arm, results.predictions[results.predictions["run_id"] == run_id])


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)  # the same verdict for the same results

"""The arms that are considered: what each costs and takes, which constraints it keeps, and whom it is beaten by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness import comparison, numbers, ownership, panel
from harness.panel import Answers
from harness.stats import frontier, intervals, quantiles
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from harness.analysis import Results, RunResult
    from harness.comparison import Answers, Comparison
    from harness.constraints import Constraints
    from harness.ownership import Bill
    from harness.stats.frontier import Status
    from harness.types import Estimate

State = Literal["kept", "unsure", "broken"]
ALPHA = 0.025


@dataclass(frozen=True, slots=True)
class Limit:
    """One constraint on one arm: what was asked, what was found, and whether it is kept."""

    name: str
    asked: str
    found: str
    state: State


@dataclass(frozen=True, slots=True)
class Candidate:
    """An arm that was considered.

    `usd_per_1000` is the running cost at the traffic asked for, `monthly_usd` the whole bill of a month.
    `standing` says whether it is on the front of accuracy, cost and time; `dominated_by` names an arm
    that is shown to be more accurate and is neither dearer nor slower.
    """

    run_id: str
    arm: str
    model: str | None
    accuracy: Estimate
    usd_per_1000: float | None
    p95_s: float | None
    n_train: int | None
    monthly_usd: float | None
    limits: tuple[Limit, ...]
    bill: Bill | None = None
    standing: Status = "open"
    dominated_by: str | None = None

    @property
    def state(self) -> State:
        """The worst of its limits."""
        states = {limit.state for limit in self.limits}
        return "broken" if "broken" in states else "unsure" if "unsure" in states else "kept"


def candidates(results: Results, constraints: Constraints) -> list[Candidate]:
    """Every arm of the results, in their order."""
    return _with_dominance(results, [_candidate(results, run, constraints) for run in results.runs])


def rows_of(results: Results, one: Candidate) -> Answers:
    """A candidate's rows, to be compared."""
    return results.answers[one.run_id]


def fixed_rng() -> np.random.Generator:
    """The same verdict for the same results."""
    return np.random.default_rng(0)


def _candidate(results: Results, result: RunResult, constraints: Constraints) -> Candidate:
    run = result.run
    owned = ownership.bill(results, result, constraints)
    p95_s = None if constraints.batch and not ownership.is_here(run.arm, run.model) else result.latency_s["p95"]
    return Candidate(
        run.run_id,
        run.name,
        run.model,
        result.accuracy,
        None if owned is None else owned.usd_per_1000(constraints.monthly_volume),
        p95_s,
        run.n_train,
        None if owned is None else owned.total,
        tuple(_limits(results, result, constraints, owned)),
        owned,
    )


def _limits(results: Results, result: RunResult, constraints: Constraints, owned: Bill | None) -> Iterator[Limit]:
    rows = results.answers[result.run.run_id].rows
    if constraints.min_accuracy is not None:
        yield _at_least("accuracy", constraints.min_accuracy, result.accuracy)
    for label, least in constraints.min_recall.items():
        mine = rows[rows["gold"] == label].dropna(subset=["correct"])
        recall = intervals.wilson(int(mine["correct"].astype(bool).sum()), len(mine), name="recall")
        yield _at_least(f"recall of {label}", least, recall)
    if constraints.max_usd_per_1000 is not None:
        yield _cost_limit(constraints, owned)
    if constraints.max_p95_s is not None:
        yield _time_limit(rows, result, constraints)


def _cost_limit(constraints: Constraints, owned: Bill | None) -> Limit:
    most = constraints.max_usd_per_1000 or 0.0
    asked = f"at most {numbers.dollars(most)}"
    if owned is None:
        return Limit("$ per 1,000", asked, numbers.UNKNOWN, "unsure")
    ends = [owned.usd_per_1000(constraints.monthly_volume, end) for end in (owned.per_item.low, owned.per_item.high)]
    found = numbers.dollars(owned.usd_per_1000(constraints.monthly_volume))
    return Limit("$ per 1,000", asked, found, _at_most(ends[0], ends[1], most))


def _time_limit(rows: pd.DataFrame, result: RunResult, constraints: Constraints) -> Limit:
    most = constraints.max_p95_s or 0.0
    asked = f"at most {numbers.duration(most)}"
    if constraints.batch and not ownership.is_here(result.run.arm, result.run.model):
        return Limit("p95", asked, "a batch, up to a day", "broken")
    times = rows[rows["outcome"] != Outcome.FAILED.value]["latency_s"].dropna()
    p95 = quantiles.quantile(times.to_numpy(float), 0.95, name="p95")
    found = numbers.duration(p95.value)
    if p95.value is not None:
        found += f" ({numbers.duration(p95.low)} to {numbers.duration(p95.high)})"
    return Limit("p95", asked, found, _at_most(p95.low, p95.high, most))


def _at_least(name: str, least: float, found: Estimate) -> Limit:
    state: State = "unsure"
    if found.low is not None and found.low >= least:
        state = "kept"
    elif found.high is not None and found.high < least:
        state = "broken"
    return Limit(name, f"at least {numbers.share(least)}", numbers.with_interval(found), state)


def _at_most(low: float | None, high: float | None, most: float) -> State:
    if high is not None and high <= most:
        return "kept"
    return "broken" if low is not None and low > most else "unsure"


def _with_dominance(results: Results, found: list[Candidate]) -> list[Candidate]:
    right = panel.of([rows_of(results, one) for one in found]).scores
    costs, waits = [one.usd_per_1000 for one in found], [one.p95_s for one in found]
    stands = frontier.standings(right, costs, waits, fixed_rng())
    return [
        replace(one, standing=stand.status, dominated_by=_beaten_by(results, one, found))
        for one, stand in zip(found, stands, strict=True)
    ]


def _beaten_by(results: Results, one: Candidate, found: list[Candidate]) -> str | None:
    """The first arm that is shown to be more accurate and is neither dearer nor slower."""
    rivals = [other for other in found if other is not one and _is_no_worse(other, one)]
    if not rivals:
        return None
    made = comparison.against(rows_of(results, one), [rows_of(results, other) for other in rivals], fixed_rng())
    return next((each.b for each in made if _is_behind(each)), None)


def _is_behind(one: Comparison) -> bool:
    """Whether a is shown to be less accurate than b."""
    is_shown = one.adjusted_p is not None and one.adjusted_p <= 2 * ALPHA
    return is_shown and one.difference.high is not None and one.difference.high < 0


def _is_no_worse(other: Candidate, one: Candidate) -> bool:
    """Known to cost no more and to answer no slower."""
    if other.usd_per_1000 is None or one.usd_per_1000 is None or other.usd_per_1000 > one.usd_per_1000:
        return False
    return other.p95_s is not None and one.p95_s is not None and other.p95_s <= one.p95_s

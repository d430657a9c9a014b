"""The arms that are considered: what each costs and takes, which constraints it keeps, and whom it is beaten by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.analysis import panel
from harness.analysis.decision import limits, ownership
from harness.errors import ConfigError
from harness.stats import best, fits, frontier, shares, strata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.analysis.decision.limits import Floor, Limit, State
    from harness.analysis.decision.ownership import Bill
    from harness.analysis.panel import Panel
    from harness.analysis.results import Results, RunResult
    from harness.ground.constraints import Constraints
    from harness.stats.frontier import Standing, Status
    from harness.stats.strata import Strata
    from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class Candidate:
    """An arm that was considered.

    `usd_per_1000` is the running cost at the traffic asked for, `monthly_usd` the whole bill of a month.
    `standing` says whether it is on the front of accuracy, cost and time; `dominated_by` names an arm
    that is shown to be more accurate and is neither dearer nor slower. `failed` items have no reply; nobody
    knows whether it would have been right. `fits` is how often it was trained.
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
    failed: int = 0
    fits: int = 1

    @property
    def state(self) -> State:
        """The worst of its limits."""
        return limits.worst(self.limits)


@dataclass(frozen=True)
class Field:
    """All candidates, in the order of the results, with their scores side by side.

    `floors` are the least accuracy and recalls that are asked for; `may_serve` says of each candidate whether it
    keeps the limits on price and time, or may keep them: only these are compared for serving.
    """

    candidates: tuple[Candidate, ...]
    together: Panel
    floors: tuple[Floor, ...]
    may_serve: NDArray[np.bool_]


def field(results: Results, constraints: Constraints) -> Field:
    """Every arm of the results, in their order."""
    answers = [results.answers[result.run.run_id] for result in results.runs]
    together = panel.of(answers)
    every = np.concatenate([one.rows["example_id"].to_numpy(object) for one in answers])
    gold = np.concatenate([one.rows["gold"].to_numpy(object) for one in answers])
    gold = pd.Series(gold, index=every).groupby(level=0).first().reindex(together.items)
    together = replace(together, fits=fits.of([result.fits for result in results.runs]))
    if constraints.label_mix:
        together = replace(together, strata=_strata(gold.to_numpy(object), constraints))
    floors = tuple(limits.floors(constraints, gold.to_numpy(object)))
    bills = [ownership.bill(results, result, constraints) for result in results.runs]
    accuracies = [result.accuracy for result in results.runs]
    if together.strata is not None:
        held = shares.shares(together.scores, together.clusters, strata=together.strata)
        accuracies = [
            held.estimate(arm, int(together.known(arm).sum()), one.name) for arm, one in enumerate(accuracies)
        ]
    fixed = [
        tuple(limits.price_and_time(one.rows, result, constraints, owned))
        for one, result, owned in zip(answers, results.runs, bills, strict=True)
    ]
    floored = [floor.limits(together) for floor in floors]
    made = [
        replace(
            _candidate(result, constraints, bills[arm], (*(share[arm] for share in floored), *fixed[arm])),
            accuracy=accuracies[arm],
        )
        for arm, result in enumerate(results.runs)
    ]
    may = [
        limits.worst(kept) != "broken" and one.accuracy.value is not None for kept, one in zip(fixed, made, strict=True)
    ]
    return Field(_with_dominance(together, made), together, floors, np.array(may, dtype=np.bool_))


def _strata(gold: NDArray[np.object_], constraints: Constraints) -> Strata:
    try:
        return strata.of(gold, constraints.label_mix)
    except ValueError as error:
        raise ConfigError(f"label mix: {error}; give label=share for each label of production") from None


def _candidate(result: RunResult, constraints: Constraints, owned: Bill | None, found: tuple[Limit, ...]) -> Candidate:
    run = result.run
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
        found,
        owned,
        failed=result.n - result.accuracy.n,
        fits=max(len(result.fits), 1),
    )


def _with_dominance(together: Panel, found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    costs, waits = [one.usd_per_1000 for one in found], [one.p95_s for one in found]
    worth = None if together.strata is None else together.strata.worth
    stands = frontier.standings(
        together.scores, costs, waits, np.random.default_rng(0), clusters=together.clusters, worth=worth
    )
    is_ahead = best.ahead(together.worst_pairs())
    return tuple(
        _placed(one, stand, [other for k, other in enumerate(found) if is_ahead[k, arm]])
        for arm, (one, stand) in enumerate(zip(found, stands, strict=True))
    )


def _placed(one: Candidate, stand: Standing, better: Sequence[Candidate]) -> Candidate:
    """With the first arm that is shown to be more accurate, among all pairs, and is neither dearer nor slower."""
    beaten_by = next((other.arm for other in better if _is_no_worse(other, one)), None)
    return replace(one, standing=stand.status, dominated_by=beaten_by)


def _is_no_worse(other: Candidate, one: Candidate) -> bool:
    """Known to cost no more and to answer no slower."""
    if other.usd_per_1000 is None or one.usd_per_1000 is None or other.usd_per_1000 > one.usd_per_1000:
        return False
    return other.p95_s is not None and one.p95_s is not None and other.p95_s <= one.p95_s

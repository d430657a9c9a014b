"""The arms that are considered: what each costs and takes, which constraints it keeps, and whom it is beaten by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.analysis import comparison, estimated_panel, measures, panel
from harness.analysis.decision import limits, ownership
from harness.errors import ConfigError
from harness.stats import clusters, frontier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.analysis.decision.limits import Floor, Limit, State
    from harness.analysis.decision.ownership import Bill
    from harness.analysis.measures import Measure
    from harness.analysis.panel import Answers, Panel
    from harness.analysis.results import Results, RunResult
    from harness.ground.constraints import Constraints
    from harness.stats.frontier import Standing, Status
    from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class Candidate:
    """An arm that was considered.

    `headline` is what the arm is chosen by, `merit` the same with the larger number the better one.
    `usd_per_1000` is the running cost at the traffic asked for, `monthly_usd` the whole bill of a month.
    `standing` says whether it is on the front of that, cost and time; `dominated_by` names an arm
    that is shown to be better and is neither dearer nor slower. `failed` items have no reply; nobody
    knows whether it would have been right. `fits` is how often it was trained.
    """

    run_id: str
    arm: str
    model: str | None
    headline: Estimate
    merit: float | None
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

    `measure` is the metric that the scores are of, `floors` the limits on this and other metrics. `may_serve` says of
    each candidate whether it keeps the limits on price and time, or may keep them: only these are compared for serving.
    """

    candidates: tuple[Candidate, ...]
    together: Panel
    measure: Measure
    floors: tuple[Floor, ...]
    may_serve: NDArray[np.bool_]


def field(results: Results, constraints: Constraints) -> Field:
    """Every arm of the results, in their order."""
    answers = [results.answers[result.run.run_id] for result in results.runs]
    measure = measures.mean_of_items(results.split.task, constraints.objective, "cannot be an objective")
    together = _together(results, measure, constraints, answers)
    floors = floors_of(results, together, constraints)
    bills = [ownership.bill(results, result, constraints) for result in results.runs]
    fixed = [
        tuple(limits.price_and_time(one.rows, result, constraints, owned))
        for one, result, owned in zip(answers, results.runs, bills, strict=True)
    ]
    floored = [floor.limits(together) for floor in floors]
    heads = _heads(results, together, measure)
    made = [
        _candidate(result, constraints, bills[arm], (*(share[arm] for share in floored), *fixed[arm]), heads[arm])
        for arm, result in enumerate(results.runs)
    ]
    if together.few is not None:
        counts = np.diagonal(together.few.failed).tolist()
        made = [replace(one, failed=count) for one, count in zip(made, counts, strict=True)]
    may = [limits.worst(kept) != "broken" and one.merit is not None for kept, one in zip(fixed, made, strict=True)]
    return Field(_with_dominance(together, made), together, measure, floors, np.array(may, dtype=np.bool_))


def _together(results: Results, measure: Measure, constraints: Constraints, answers: Sequence[Answers]) -> Panel:
    """The arms side by side, by their scores or as estimated from few labels."""
    if results.estimation is None:
        together = panel.of([measure.judged(one) for one in answers])
        if constraints.label_mix:
            together = replace(together, strata=measures.strata_of(_gold(answers, together), constraints.label_mix))
        return together.with_fits([measure.judged(one) for one in answers])
    further = [one.noun for one, _ in measures.limits(constraints, results.split.task)]
    if not measure.is_headline or further or constraints.label_mix:
        what = "a label mix" if constraints.label_mix else ", ".join(further) or measure.noun
        headline = measures.headline(results.split.task).noun
        raise ConfigError(f"few labels estimate {headline}, recall and differences; found {what} among what is asked")
    names = [result.run.name for result in results.runs]
    return estimated_panel.panel_of(results.estimation, list(constraints.min_recall), names)


def floors_of(results: Results, together: Panel, constraints: Constraints) -> tuple[Floor, ...]:
    """The limits on metrics and recalls, over the panel of all arms of the results by what they are chosen by."""
    answers = [results.answers[one.run.run_id] for one in results.runs]
    chosen_by = measures.named(results.split.task, constraints.objective)
    asked = limits.floors(constraints, _gold(answers, together), results.split.task)
    return tuple(_on_its_metric(one, together, answers, is_chosen_by=one.measure == chosen_by) for one in asked)


def _gold(answers: Sequence[Answers], together: Panel) -> NDArray[np.object_]:
    """The gold label of each item of the panel."""
    every = np.concatenate([one.rows["example_id"].to_numpy(object) for one in answers])
    gold = np.concatenate([one.rows["gold"].to_numpy(object) for one in answers])
    found: NDArray[np.object_] = (
        pd.Series(gold, index=every).groupby(level=0).first().reindex(together.items).to_numpy(object)
    )
    return found


def _on_its_metric(floor: Floor, together: Panel, answers: Sequence[Answers], *, is_chosen_by: bool) -> Floor:
    """The floor with its own metric's scores where those are others, and with the spread of fits on its items."""
    judged = [floor.measure.judged(one) for one in answers]
    several = together.with_fits(judged, floor.items).fits
    return replace(floor, fits=several, scores=None if is_chosen_by else panel.of(judged).scores)


def _heads(results: Results, together: Panel, measure: Measure) -> list[tuple[Estimate, float | None]]:
    """What each arm is chosen by, and the same with the larger number the better one."""
    found = [result.headline for result in results.runs]
    known = [together.known(arm) for arm in range(len(found))]
    if together.strata is not None:
        held = together.shares()
        merits = [held.estimate(arm, int(known[arm].sum()), measure.name) for arm in range(len(found))]
        found = [measure.of_merit(one) for one in merits]
    elif not measure.is_headline and together.fits is not None:
        held = together.shares()
        found = [measure.of_merit(held.estimate(arm, int(known[arm].sum()), measure.name)) for arm in range(len(found))]
    elif not measure.is_headline:
        codes = np.arange(len(together.items)) if together.clusters is None else together.clusters
        merits = [
            clusters.cluster_mean(together.scores[k, a], codes[k], name=measure.name) for a, k in enumerate(known)
        ]
        found = [measure.of_merit(one) for one in merits]
    sign = 1.0 if measure.is_more_better else -1.0
    return [(one, None if one.value is None else sign * one.value) for one in found]


def _candidate(
    result: RunResult,
    constraints: Constraints,
    owned: Bill | None,
    found: tuple[Limit, ...],
    head: tuple[Estimate, float | None],
) -> Candidate:
    run = result.run
    p95_s = None if constraints.batch and not ownership.is_here(run.arm, run.model) else result.latency_s["p95"]
    return Candidate(
        run.run_id,
        run.name,
        run.model,
        *head,
        None if owned is None else owned.usd_per_1000(constraints.monthly_volume),
        p95_s,
        run.n_train,
        None if owned is None else owned.total,
        found,
        owned,
        failed=result.n - result.headline.n,
        fits=max(len(result.fits), 1),
    )


def _with_dominance(together: Panel, found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    costs, waits = [one.usd_per_1000 for one in found], [one.p95_s for one in found]
    worth = None if together.strata is None else together.strata.worth
    # Resamples of few labels would say something else than their estimates do.
    stands = (
        frontier.standings(
            together.scores, costs, waits, np.random.default_rng(0), clusters=together.clusters, worth=worth
        )
        if together.few is None
        else [frontier.Standing(0.0, "open")] * len(found)
    )
    is_ahead = comparison.shown(together)
    return tuple(
        _placed(one, stand, [other for k, other in enumerate(found) if is_ahead[k, arm]])
        for arm, (one, stand) in enumerate(zip(found, stands, strict=True))
    )


def _placed(one: Candidate, stand: Standing, better: Sequence[Candidate]) -> Candidate:
    """With the first arm that is shown to be better, among all pairs, and is neither dearer nor slower."""
    beaten_by = next((other.arm for other in better if _is_no_worse(other, one)), None)
    return replace(one, standing=stand.status, dominated_by=beaten_by)


def _is_no_worse(other: Candidate, one: Candidate) -> bool:
    """Known to cost no more and to answer no slower."""
    if other.usd_per_1000 is None or one.usd_per_1000 is None or other.usd_per_1000 > one.usd_per_1000:
        return False
    return other.p95_s is not None and one.p95_s is not None and other.p95_s <= one.p95_s

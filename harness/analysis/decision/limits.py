"""The constraints, arm by arm: what was asked, what was found, and whether it is kept.

A least accuracy or recall is judged for all arms together, because the arm to serve is picked afterwards;
failed items count as wrong where it should be kept, and as right where it should be broken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.analysis import measures
from harness.analysis.decision import ownership
from harness.ground import formatting
from harness.stats import best, margins, quantiles
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.decision.ownership import Bill
    from harness.analysis.measures import Measure
    from harness.analysis.panel import Panel
    from harness.analysis.results import RunResult
    from harness.datasets.task import Task
    from harness.ground.constraints import Constraints
    from harness.stats.fits import Fits

State = Literal["kept", "unsure", "broken"]


@dataclass(frozen=True, slots=True)
class Limit:
    """One constraint on one arm: what was asked, what was found, and whether it is kept."""

    name: str
    asked: str
    found: str
    state: State


@dataclass(frozen=True)
class Floor:
    """A least mean score: over all items, or over those of a label (`items` is a mask).

    `least` and the scores are merits of `measure` (`measures.Measure.merit`); `scores` are items x arms, None where
    they are those that the arm is chosen by; `fits` say how far an arm's fits lie apart on these items. `label` is the
    one whose recall it is, None where it is not one.
    """

    name: str
    least: float
    items: NDArray[np.bool_]
    measure: Measure
    scores: NDArray[np.float64] | None = None
    fits: Fits | None = None
    label: str | None = None

    def take(self, items: NDArray[np.int64]) -> Floor:
        """The same on some of the items."""
        return replace(self, items=self.items[items], scores=None if self.scores is None else self.scores[items])

    def of_arms(self, arms: NDArray[np.bool_]) -> Floor:
        """The same for some of the arms."""
        several = None if self.fits is None else self.fits.of_arms(arms)
        return replace(self, fits=several, scores=None if self.scores is None else self.scores[:, arms])

    def _scores(self, together: Panel) -> NDArray[np.float64]:
        return np.where(self.items[:, None], together.scores if self.scores is None else self.scores, np.nan)

    def judged(
        self, together: Panel, weights: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Per arm, whether it is shown to keep the floor, and whether to break it: [..., arm]; see `shares.shares`."""
        if together.few is not None:
            bounded = together.few.of(self.label)
            return best.shown(bounded.wrong.z(self.least)), best.shown(-bounded.right.z(self.least))
        scores = self._scores(together)
        lost = together.lost & self.items[:, None]
        worst, best_case = (
            replace(together, fits=self.fits).shares(weights, np.where(lost, filled, scores)).z(self.least)
            for filled in (0.0, 1.0)
        )
        return best.shown(worst), best.shown(-best_case)

    def limits(self, together: Panel) -> list[Limit]:
        """Each arm's limit, in the order of the panel."""
        kept, broken = self.judged(together)
        states: list[State] = ["kept" if k else "broken" if b else "unsure" for k, b in zip(kept, broken, strict=True)]
        codes = np.arange(len(together.items)) if together.clusters is None else together.clusters
        made, scores = [], self._scores(together)
        which = "at least" if self.measure.is_more_better else "at most"
        end = self.measure.in_unit(self.least)
        for arm, state in enumerate(states):
            mine = ~np.isnan(scores[:, arm])
            found = margins.share(scores[mine, arm], codes[mine], name=self.name)
            if together.few is not None:
                found = together.few.of(self.label).seen.estimate(arm, int((mine & self.items).sum()), self.name)
            elif together.strata is not None or self.fits is not None:
                held = replace(together, fits=self.fits).shares(scores=scores)
                found = held.estimate(arm, int(mine.sum()), self.name)
            said = formatting.with_interval(self.measure.of_merit(found))
            made.append(Limit(self.name, f"{which} {formatting.share(end)}", said, state))
        return made


def floors(constraints: Constraints, gold: NDArray[np.object_], task: Task) -> list[Floor]:
    """The limits on metrics and recalls that are asked for; `gold` holds the gold label of each item."""
    headline, everything = measures.headline(task), np.ones(len(gold), dtype=np.bool_)
    asked = []
    least = measures.least_credit(constraints, task)
    if least is not None:
        asked.append(Floor(headline.noun, least, everything, headline))
    asked += [
        Floor(f"recall of {name}", share, gold == name, headline, label=name)
        for name, share in constraints.min_recall.items()
    ]
    others = measures.limits(constraints, task)
    return asked + [Floor(one.noun, float(one.merit(np.array(limit))), everything, one) for one, limit in others]


def price_and_time(
    rows: pd.DataFrame, result: RunResult, constraints: Constraints, owned: Bill | None
) -> Iterator[Limit]:
    """The limits on cost and time that are asked for, which no number of labels changes."""
    if constraints.max_usd_per_1000 is not None:
        yield _cost(constraints, owned)
    if constraints.max_p95_s is not None:
        yield _time(rows, result, constraints)


def worst(limits: Sequence[Limit]) -> State:
    """The worst of some limits."""
    states = {limit.state for limit in limits}
    return "broken" if "broken" in states else "unsure" if "unsure" in states else "kept"


def _cost(constraints: Constraints, owned: Bill | None) -> Limit:
    most = constraints.max_usd_per_1000 or 0.0
    asked = f"at most {formatting.dollars(most)}"
    if owned is None:
        return Limit("$ per 1,000", asked, formatting.UNKNOWN, "unsure")
    ends = [owned.usd_per_1000(constraints.monthly_volume, end) for end in (owned.per_item.low, owned.per_item.high)]
    found = formatting.dollars(owned.usd_per_1000(constraints.monthly_volume))
    return Limit("$ per 1,000", asked, found, _at_most(ends[0], ends[1], most))


def _time(rows: pd.DataFrame, result: RunResult, constraints: Constraints) -> Limit:
    most = constraints.max_p95_s or 0.0
    asked = f"at most {formatting.duration(most)}"
    if constraints.batch and not ownership.is_here(result.run.arm, result.run.model):
        return Limit("p95", asked, "a batch, up to a day", "broken")
    times = rows[rows["outcome"] != Outcome.FAILED.value]["latency_s"].dropna()
    p95 = quantiles.quantile(times.to_numpy(float), 0.95, name="p95")
    found = formatting.duration(p95.value)
    if p95.value is not None:
        found += f" ({formatting.duration(p95.low)} to {formatting.duration(p95.high)})"
    return Limit("p95", asked, found, _at_most(p95.low, p95.high, most))


def _at_most(low: float | None, high: float | None, most: float) -> State:
    if high is not None and high <= most:
        return "kept"
    return "broken" if low is not None and low > most else "unsure"

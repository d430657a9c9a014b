"""What it costs a month to own an arm: serving, machines, labels, training and people's work. Pure.

Costs that come once, or at every retraining, are spread over the months the arm serves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.means import mean
from harness.types import Outcome

if TYPE_CHECKING:
    from harness.analysis.results import Results, RunFacts, RunResult
    from harness.ground.constraints import Constraints
    from harness.types import Estimate

HOURS_A_MONTH = 365.25 * 24 / 12
ELSEWHERE = ("prompt", "import", "cascade", "router", "vote", "vote-weighted", "vote-stacked")
BATCH_FACTOR = 0.5  # of the list price, at both providers that have a batch API


@dataclass(frozen=True, slots=True)
class Bill:
    """A month's costs in dollars; `per_item` is the running cost of one item, with its interval."""

    per_item: Estimate
    serving: float
    hosting: float
    labels: float
    training: float
    work: float

    @property
    def fixed(self) -> float:
        """What is paid at any volume."""
        return self.hosting + self.labels + self.training + self.work

    @property
    def total(self) -> float:
        """The whole month."""
        return self.serving + self.fixed

    def usd_per_1000(self, volume: int, per_item: float | None = None) -> float:
        """Running cost and machines by 1,000 items at a monthly volume; `per_item` in place of its mean."""
        running = self.per_item.value if per_item is None else per_item
        return 1000 * ((running or 0.0) + self.hosting / volume)


def bill(results: Results, result: RunResult, asked: Constraints) -> Bill | None:
    """The monthly bill of one arm at the traffic asked for; None when its price is unknown."""
    per_item = _per_item(results, result)
    usd_per_item = per_item.value
    if usd_per_item is None:
        return None
    run, trainings = result.run, 1 + asked.retrainings
    here = is_here(run.arm, run.model)
    if asked.batch and not here:
        per_item = _times(per_item, BATCH_FACTOR)
    hosting = 0.0
    if here and asked.hosting == "own":
        hosting = _machines(usd_per_item, asked.monthly_volume, results.cpu_usd_per_hour)
        per_item = _times(per_item, 0.0)  # the machines are paid whether they compute or wait
    labels = (run.n_train + asked.retrainings * asked.labels_per_retraining) if run.n_train else 0
    fit_usd = (run.fit_s or 0.0) / 3600 * results.cpu_usd_per_hour
    return Bill(
        per_item,
        serving=(per_item.value or 0.0) * asked.monthly_volume,
        hosting=hosting,
        labels=labels * asked.usd_per_label / asked.months,
        training=fit_usd * trainings / asked.months,
        work=hours(asked, run) * asked.usd_per_hour_of_work / asked.months,
    )


def hours(asked: Constraints, run: RunFacts) -> float:
    """The hours of people's work that an arm takes once, by its full name or by its arm's."""
    return asked.hours.get(run.arm_name, asked.hours.get(run.arm, 0.0))


def is_here(arm: str, model: str | None) -> bool:
    """Whether the arm needs a machine of ours: a baseline, or a prompt whose model runs in this process.

    What was imported, and a fusion of several arms, may run anywhere.
    """
    return model.startswith("local/") if model else arm.partition(":")[0] not in ELSEWHERE


def machine_usd(cpu_usd_per_hour: float) -> float:
    """One machine around the clock, for a month."""
    return HOURS_A_MONTH * cpu_usd_per_hour


def _machines(usd_per_item: float, volume: int, cpu_usd_per_hour: float) -> float:
    """As many machines as the month's seconds of computing fill, and at least one."""
    if cpu_usd_per_hour == 0:
        return 0.0
    hours = usd_per_item / cpu_usd_per_hour * volume
    return max(1, ceil(hours / HOURS_A_MONTH)) * machine_usd(cpu_usd_per_hour)


def _per_item(results: Results, result: RunResult) -> Estimate:
    rows = results.predictions[results.predictions["run_id"] == result.run.run_id]
    costs = rows[rows["outcome"] != Outcome.FAILED.value]["cost_usd"]
    return mean(costs.to_numpy(float, na_value=np.nan), name="cost per item")


def _times(estimate: Estimate, factor: float) -> Estimate:
    value, low, high = (None if end is None else end * factor for end in (estimate.value, estimate.low, estimate.high))
    return replace(estimate, value=value, low=low, high=high)

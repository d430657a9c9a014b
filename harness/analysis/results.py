"""Stored predictions in, `Results` out: the numbers every report, gate and verdict reads. Pure.

One frame, one row per run and item (see `Store.predictions`), joined with gold labels. Failed
predictions are counted and kept out of every metric: an outage is not a wrong answer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import measures, panel
from harness.analysis.panel import Answers
from harness.analysis.summing import Calls, calls, confidence, of_items, tokens
from harness.datasets.task import Task, kind_of
from harness.ground.constraints import Constraints
from harness.stats import calibration, fits, intervals
from harness.store import PassedOver, lacks_too_many
from harness.store.rows import BUCKETS
from harness.types import Estimate, Outcome, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import pandas as pd

    from harness.analysis.curves import Curves
    from harness.analysis.estimation import Estimation
    from harness.analysis.people import People
    from harness.datasets.audit.equality import Defects
    from harness.types import JSON, Metric, Purpose


@dataclass(frozen=True, slots=True)
class Split:
    """The split that was scored. `looks` counts how often it has been scored before.

    `unlabelled` of its items have no gold label and are no part of `n`. Where `subsample_of` is not 0, the `n` are
    some of so many (see `store.subsample`): metrics and comparisons are theirs; counts, sums and times those of all.
    """

    dataset: str
    dataset_id: str
    name: str
    kind: str
    labels: tuple[str, ...]
    n: int
    looks: int = 0
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict, hash=False)
    unlabelled: int = 0
    subsample_of: int = 0

    @property
    def task(self) -> Task:
        """What was asked."""
        return Task(self.kind, self.labels, self.costs)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the store knows about a run beside its predictions.

    `batch_latency_s` is the time per item when many are asked at once; `facts` is what the arm
    found out when it was fitted and measured. `name` is what the run is called, unique on its split;
    `arm_name` is what it is called together with its repeats and the fits with other seeds.
    """

    run_id: str
    arm: str
    model: str | None
    status: str
    seed: int
    repeat: int
    n_train: int | None
    params: Mapping[str, JSON]
    started_at: datetime | None
    wall_s: float | None
    fit_s: float | None
    prices_as_of: str | None = None
    batch_latency_s: float | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)
    arm_id: str = ""
    purpose: Purpose = "whole"
    is_finished: bool = True
    name: str = ""
    arm_name: str = ""

    def __post_init__(self) -> None:
        """A run that stands alone is called by its arm."""
        object.__setattr__(self, "name", self.name or self.arm)
        object.__setattr__(self, "arm_name", self.arm_name or self.name)


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run, summed up. Sums and quantiles are None when any part is unknown.

    `missing` are the items of the split that it lacks; `fits` are the headline of each fit, where an arm's are pooled.
    `latency_s` holds p50, p95 and p99 of the time a caller waits for one item alone;
    `latency_n` is the number of items it was measured on.
    """

    run: RunFacts
    n: int
    outcomes: Mapping[Outcome, int]
    metrics: Mapping[str, Estimate]
    cost_usd: float | None
    billed_usd: float | None
    cost_per_1000_usd: float | None
    latency_s: Mapping[str, float | None]
    latency_n: int
    calls: Calls
    tokens: Usage | None
    missing: int = 0
    fits: tuple[float, ...] = ()

    @property
    def headline(self) -> Estimate:
        """The headline metric of the kind: its first."""
        return next(iter(self.metrics.values()))

    @property
    def unanswered(self) -> int:
        """Items without an answer, for whatever reason."""
        return sum(self.outcomes.values()) - self.outcomes[Outcome.ANSWERED]


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the runs of one arm lie apart: the same prompt, model and items, asked anew, or fits with other seeds.

    `values` are the headline metric of each repeat, `deviation` their standard deviation
    (n - 1), `changed` the share of items whose answer was not the same every time.
    """

    name: str
    arm: str
    model: str | None
    values: tuple[float, ...]
    mean: float
    deviation: float
    changed: Estimate


@dataclass(frozen=True, slots=True)
class PromptText:
    """A prompt that was asked: what it says, and by which arm."""

    id: str
    task: str
    version: str
    content: str
    arm: str


@dataclass(frozen=True, repr=False)
class Results:
    """What analysis hands to report and gate: the runs, best first, on the same items.

    `predictions` has one row per run and item: run_id, arm, example_id, text, tags, gold,
    outcome, label, score, credit, cost_usd, latency_s, raw, error, and of the scores per label
    gold_score, squares, total and named. `passed_over` are stored runs
    that are not shown, and why. `spreads` has an entry for every arm that was repeated. `constraints`
    are what the workspace asks of an arm, `cpu_usd_per_hour` what it pays for a machine. `leading` is the run
    whose items all are scored on. `items` are the split's items (see `Store.items`) unless there are too many
    to show; `prompts` those of the runs. `defects` names the items that leaked or repeat others. `curves` are the
    learning curves on this split. `sets` are the prediction sets of runs whose arms were run on dev too, by run id.
    `known_arms` names all arms of the split where these are some of them, see `chosen_arms`. `people` are its raters.
    With an `estimation` the headline of every run is estimated from few labels, and so is what is said of pairs.
    `is_standing` says whether these are the runs that the store's macros give: not those of a run asked for by itself.
    """

    split: Split
    runs: tuple[RunResult, ...]
    predictions: pd.DataFrame
    provenance: Mapping[str, str] = field(default_factory=dict)
    passed_over: tuple[PassedOver, ...] = ()
    spreads: tuple[Spread, ...] = ()
    constraints: Constraints = field(default_factory=Constraints)
    cpu_usd_per_hour: float = 0.0
    leading: str = ""
    items: pd.DataFrame | None = None
    prompts: tuple[PromptText, ...] = ()
    defects: Defects | None = None
    curves: Curves | None = None
    sets: Mapping[str, calibration.Sets] = field(default_factory=dict)
    is_standing: bool = True
    known_arms: tuple[str, ...] = ()
    people: People | None = None
    estimation: Estimation | None = None

    def __repr__(self) -> str:
        return f"Results({self.split.dataset} / {self.split.name}, {len(self.runs)} runs, n = {self.split.n:,})"

    @cached_property
    def answers(self) -> Mapping[str, Answers]:
        """Each run's rows by its id, to be compared."""
        by_run = {str(run_id): rows for run_id, rows in self.predictions.groupby("run_id", sort=False)}
        empty = self.predictions.iloc[:0]
        task = self.split.task
        return {
            one.run.run_id: Answers(one.run.name, by_run.get(one.run.run_id, empty), task=task, fits=one.fits)
            for one in self.runs
        }

    @cached_property
    def by_arm(self) -> Results:
        """The same with one run an arm: its repeats and fits together, of which an item has the mean.

        What is compared, recommended and served is an arm, so its runs are never each other's rivals.
        """
        return _by_arm(self)

    @property
    def leaders(self) -> tuple[RunResult, ...]:
        """The arms with the best headline: one, or all that are as good, by name."""
        arms = self.by_arm.runs
        return tuple(one for one in arms if one.headline.value == arms[0].headline.value)


def analyse(
    split: Split,
    runs: Sequence[RunFacts],
    predictions: pd.DataFrame,
    provenance: Mapping[str, str],
    seed: int = 0,
) -> Results:
    """The results of runs on one split, on the items of the first of them, best first.

    A run that asked all items and lacks a few (`store.lacks_too_many`) is shown on those it has, and says so. One
    that lacks more, or was not meant to have all, is left out with the reason, rather than shrinking
    everybody's sample.
    """
    by_run = {run_id: frame for run_id, frame in predictions.groupby("run_id", sort=False)}
    empty = predictions.iloc[:0]
    items = set(by_run.get(runs[0].run_id, empty)["example_id"]) if runs else set()
    shown, passed_over = [], []
    for run in runs:
        frame = by_run.get(run.run_id, empty)
        frame = frame[frame["example_id"].isin(items)]
        missing = len(items) - len(frame)
        if lacks_too_many(missing, len(items), is_meant_whole=run.is_finished and run.purpose != "limited"):
            why = "" if run.is_finished else f", {run.status}"
            passed_over.append(PassedOver(run.name, run.run_id, f"has {len(frame)} of the {len(items)} items{why}"))
            continue
        shown.append(replace(summarise(split, run, frame, seed), missing=missing))
    metric = next(iter(_metrics(split.kind)))
    shown.sort(key=lambda result: (-(result.metrics[metric].value or 0.0), result.run.name))
    joined = predictions[predictions["run_id"].isin([r.run.run_id for r in shown])]
    rows = joined[joined["example_id"].isin(items)]
    leading = runs[0].run_id if runs else ""
    return Results(split, tuple(shown), rows, provenance, tuple(passed_over), spreads(shown, rows), leading=leading)


def _by_arm(results: Results) -> Results:
    arms = _runs_by_arm(results.runs)
    if len(arms) == len(results.runs):
        return results
    first_of = {one.run.run_id: runs[0].run.run_id for runs in arms.values() for one in runs}
    seed_of = {one.run.run_id: one.run.seed for one in results.runs}
    run_ids = results.predictions["run_id"]
    rows = results.predictions.assign(run_id=run_ids.map(first_of), fit=run_ids.map(seed_of))
    mine = {run_id: frame for run_id, frame in rows.groupby("run_id", sort=False)}
    pooled = [
        _pooled(results.split, runs, mine.get(runs[0].run.run_id, rows.iloc[:0])) if len(runs) > 1 else runs[0]
        for runs in arms.values()
    ]
    pooled.sort(key=lambda one: (-(one.headline.value or 0.0), one.run.name))
    return replace(results, runs=tuple(pooled), predictions=rows)


def _pooled(split: Split, runs: Sequence[RunResult], rows: pd.DataFrame) -> RunResult:
    """The runs of an arm summed up together: of each item the mean score, an interval over items or their groups."""
    first, headline = runs[0], next(iter(runs[0].metrics))
    pooled = Answers(first.run.arm_name, rows, task=split.task)
    together = panel.of([pooled]).with_fits([pooled])
    known = together.known(0)
    mean = together.shares().estimate(0, int(known.sum()), headline)
    whole = summarise(split, replace(first.run, name=first.run.arm_name), rows)
    each = fits.by_seed([(one.run.seed, one.headline.value) for one in runs])
    mean = replace(mean, method=f"{mean.method}, {len(each)} fits") if each else mean
    missing = max(one.missing for one in runs)
    whole = _together(whole, runs) if split.subsample_of else whole
    return replace(whole, n=len(known), missing=missing, metrics={headline: mean}, fits=each)


def _together(pooled: RunResult, runs: Sequence[RunResult]) -> RunResult:
    """The repeats and fits of an arm pooled, with what all of them came to on all items; times stay those looked at."""
    outcomes: Counter[Outcome] = Counter()
    for one in runs:
        outcomes.update(one.outcomes)
    costs = [one.cost_per_1000_usd for one in runs]
    tokens = [one.tokens for one in runs if one.tokens is not None]
    return replace(
        pooled,
        outcomes=outcomes,
        cost_usd=_sum_of([one.cost_usd for one in runs]),
        billed_usd=_sum_of([one.billed_usd for one in runs]),
        cost_per_1000_usd=None if (total := _sum_of(costs)) is None else total / len(costs),
        calls=Calls(*(sum(getattr(one.calls, name) for one in runs) for name in ("sent", "cached", "retried"))),
        tokens=Usage(*(sum(getattr(one, bucket) for one in tokens) for bucket in BUCKETS)) if tokens else None,
    )


def _sum_of(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _runs_by_arm(runs: Sequence[RunResult]) -> dict[str, list[RunResult]]:
    """The results by arm, each arm's first fit or repeat first."""
    arms: dict[str, list[RunResult]] = {}
    for result in sorted(runs, key=lambda result: (result.run.seed, result.run.repeat)):
        arms.setdefault(result.run.arm_name, []).append(result)
    return arms


def spreads(shown: Sequence[RunResult], rows: pd.DataFrame) -> tuple[Spread, ...]:
    """The spread of every arm that was run more than once on these items."""
    return tuple(_spread(runs, rows) for runs in _runs_by_arm(shown).values() if len(runs) > 1)


def _spread(repeats: Sequence[RunResult], rows: pd.DataFrame) -> Spread:
    values = tuple(result.headline.value or 0.0 for result in repeats)
    mine = rows[rows["run_id"].isin([result.run.run_id for result in repeats])]
    answers = mine["label"].fillna("").groupby(mine["example_id"]).nunique()
    changed = intervals.wilson(int((answers > 1).sum()), len(answers), name="changed")
    run, mean, deviation = repeats[0].run, float(np.mean(values)), float(np.std(values, ddof=1))
    return Spread(run.arm_name, run.arm, run.model, values, mean, deviation, changed)


def summarise(split: Split, run: RunFacts, frame: pd.DataFrame, seed: int = 0) -> RunResult:
    """One run's counts, estimates, money and waiting times."""
    outcomes = {outcome: int((frame["outcome"] == outcome.value).sum()) for outcome in Outcome}
    replied = frame[frame["outcome"] != Outcome.FAILED.value].sort_values("example_id")
    return RunResult(
        run=run,
        n=len(frame),
        outcomes=outcomes,
        metrics=_estimates(split, replied, seed),
        calls=calls(frame),
        tokens=tokens(replied),
        **of_items(frame),
    )


def _metrics(kind: str) -> Mapping[str, Metric]:
    return kind_of(kind).METRICS


def _estimates(split: Split, replied: pd.DataFrame, seed: int) -> dict[str, Estimate]:
    gold = replied["gold"].tolist()
    answers = replied["label"].astype(object).where(replied["label"].notna(), None).tolist()
    sure = confidence(replied, len(split.labels))
    groups = panel.clusters_of(replied["group"].to_numpy(object)) if "group" in replied else None
    found = {}
    for name, metric in _metrics(split.kind).items():
        given = (gold, answers, split.labels) if metric.needs == "answers" else (sure,)
        in_groups = {"clusters": groups} if metric.in_groups else {}
        found[name] = metric.estimate(*given, np.random.default_rng(seed), **in_groups)
    return {**found, **measures.estimates(replied, split.task)}

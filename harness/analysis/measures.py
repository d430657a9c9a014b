"""The metrics of a task, each from its one declaration: those of its kind, and the files of `metrics/`. Pure.

A metric file, here or in a workspace's extensions, gives a number an item. Its estimate is their mean, its difference
between two arms the mean of the items' differences. It offers `values`, `bounds`, `BETTER` ("higher" or "lower"),
`UNANSWERED` and, where it is not for every kind, `NEEDS`. Whatever compares, chooses or limits arms asks for a
`Measure` by name and knows no metric.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from harness.analysis import panel
from harness.errors import ConfigError, one_of
from harness.ground import plugins
from harness.stats import clusters, margins, strata

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.panel import Answers
    from harness.datasets.task import Task
    from harness.ground.constraints import Constraints
    from harness.ground.gate_settings import GateSettings
    from harness.stats.strata import Strata
    from harness.types import Estimate, Metric

    Numbers = NDArray[np.float64]

FOLDER = "metrics"
USUAL = 0.95  # the confidence of every interval that is not asked for otherwise


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric of a task; `of_kind` or `of_file` is its declaration."""

    name: str
    task: Task
    of_kind: Metric | None = None
    of_file: ModuleType | None = None

    @property
    def noun(self) -> str:
        """What it is called in a sentence."""
        return self.name.replace("_", " ")

    @property
    def is_headline(self) -> bool:
        """Whether it is the mean credit."""
        return self.name == next(iter(self.task.rules.METRICS))

    @property
    def is_mean(self) -> bool:
        """Whether it is the mean of a number an item, so that arms can be compared and chosen by it."""
        return self.is_headline or (self.of_file is not None and self.of_file.UNANSWERED != "excluded")

    @property
    def is_more_better(self) -> bool:
        """Whether the larger number is the better one."""
        declared = self.of_kind.better if self.of_kind is not None else cast("ModuleType", self.of_file).BETTER
        return bool(declared == "higher")

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the largest number an item can have."""
        if self.of_file is None:
            return 0.0, 1.0
        low, high = self.of_file.bounds(self.task)
        if not low < high:
            raise ConfigError(f"{self.of_file.__file__}: bounds gave {low!r} and {high!r}; expected a low and a high")
        return float(low), float(high)

    @property
    def span(self) -> float:
        """How far its bounds lie apart."""
        return self.bounds[1] - self.bounds[0]

    def values(self, rows: pd.DataFrame) -> Numbers | None:
        """The number of each row; None where the metric cannot be measured.

        nan where the call failed, and where no answer came and the metric says that such items are "excluded"; one
        that says "wrong" gives them its worst number, one that says "counted" whatever it likes.
        """
        credit: Numbers = rows["credit"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        if self.of_file is None:
            return credit
        answers = _answers(rows)
        given = self.of_file.values(rows["gold"].tolist(), answers, self.task)
        if given is None:
            return None
        found = np.asarray(given, dtype=np.float64)
        self._check(found, len(rows))
        instead = {"excluded": np.nan, "wrong": self.bounds[0 if self.is_more_better else 1]}
        if self.of_file.UNANSWERED in instead:
            found = np.where([answer is None for answer in answers], instead[self.of_file.UNANSWERED], found)
        return np.where(np.isnan(credit), np.nan, found)

    def merits(self, rows: pd.DataFrame) -> Numbers | None:
        """The same from 0, the worst there is, to 1, the best."""
        found = self.values(rows)
        return None if found is None else self.merit(found)

    def merit(self, values: Numbers) -> Numbers:
        """Values on the scale from 0, the worst there is, to 1, the best."""
        low, high = self.bounds
        return np.asarray(values - low if self.is_more_better else high - values) / (high - low)

    def of_merit(self, estimate: Estimate) -> Estimate:
        """An estimate on that scale, in the metric's own unit again; the metric itself where it is the headline."""
        low, high = self.bounds
        ends = (estimate.value, estimate.low, estimate.high)
        if self.is_more_better:
            value, bottom, top = (None if end is None else low + end * self.span for end in ends)
        else:
            value, top, bottom = (None if end is None else high - end * self.span for end in ends)
        return replace(estimate, value=value, low=bottom, high=top)

    def in_unit(self, merit: float) -> float:
        """A number on that scale, in the metric's own unit again."""
        low, high = self.bounds
        return low + merit * (high - low) if self.is_more_better else high - merit * (high - low)

    def gap_of_merit(self, estimate: Estimate) -> Estimate:
        """A difference on that scale, a minus b, in the metric's own unit."""
        ends = (estimate.value, estimate.low, estimate.high)
        step = self.span if self.is_more_better else -self.span
        value, bottom, top = (None if end is None else end * step for end in ends)
        if not self.is_more_better:
            bottom, top = top, bottom
        return replace(estimate, value=value, low=bottom, high=top)

    def judged(self, answers: Answers) -> Answers:
        """An arm's rows whose credit is the merit of this metric: whatever reads credit then speaks of the metric."""
        if self.is_headline:
            return answers
        merits = self.merits(answers.rows)
        if merits is None:
            raise self._unmeasured()
        return replace(answers, rows=answers.rows.assign(credit=merits), is_judged_anew=True, fits=())

    def estimate(self, rows: pd.DataFrame, codes: NDArray[np.int64], confidence: float = USUAL) -> Estimate:
        """What it comes to over rows with a reply; `codes` says which rows belong together.

        `ConfigError` where it cannot be measured, or has no interval of that confidence.
        """
        if self.is_headline:
            credit = rows["credit"].astype("Float64").to_numpy(float, na_value=np.nan)
            return margins.share(credit, codes, name=self.name, confidence=confidence)
        if self.of_kind is not None:
            return self._of_kind(self.of_kind, rows, codes, confidence)
        values = self.values(rows)
        if values is None:
            raise self._unmeasured()
        known = ~np.isnan(values)
        return clusters.cluster_mean(values[known], codes[known], name=self.name, confidence=confidence)

    def _of_kind(self, metric: Metric, rows: pd.DataFrame, codes: NDArray[np.int64], confidence: float) -> Estimate:
        if confidence != USUAL or metric.needs != "answers":
            raise ConfigError(
                f"{self.name} has {'no limit' if metric.needs != 'answers' else 'intervals of 95% only'}; take one of "
                f"{', '.join(_means(self.task))}, or confidence = {USUAL}"
            )
        groups = {"clusters": None if len(set(codes.tolist())) == len(codes) else codes} if metric.in_groups else {}
        given = rows["gold"].tolist(), _answers(rows), self.task.labels, np.random.default_rng(0)
        return metric.estimate(*given, **groups)

    def _unmeasured(self) -> ConfigError:
        what = (getattr(self.of_file, "__doc__", None) or "its file gives no values").partition("\n")[0]
        return ConfigError(f"{self.name} cannot be measured on this dataset: {what}")

    def _check(self, values: Numbers, n: int) -> None:
        """`ConfigError` for what is not a number within the bounds for each item."""
        low, high = self.bounds
        where = cast("ModuleType", self.of_file).__file__
        if values.shape != (n,):
            raise ConfigError(f"{where}: values gave {values.shape} numbers for {n:,} items; expected one for each")
        if n and not (low <= values.min() and values.max() <= high):
            seen = f"{values.min():g} to {values.max():g}"
            raise ConfigError(f"{where}: values gave {seen}; bounds say {low:g} to {high:g}")


def of_files(task: Task) -> dict[str, Measure]:
    """The metric files that mean something for a task, by name."""
    loaded = {name: plugins.load(FOLDER, name, task.at) for name in plugins.names(FOLDER, task.at)}
    return {name: Measure(name, task, of_file=module) for name, module in loaded.items() if task.meets(module)}


def every(task: Task) -> dict[str, Measure]:
    """All metrics of a task by name, the headline first."""
    of_kind = {name: Measure(name, task, of_kind=metric) for name, metric in task.rules.METRICS.items()}
    return of_kind | of_files(task)


def headline(task: Task) -> Measure:
    """The mean credit."""
    return next(iter(every(task).values()))


def named(task: Task, name: str | None) -> Measure:
    """The metric of that name, `-` and `_` alike, the headline for None; `ConfigError` names those there are."""
    known = every(task)
    if name is None:
        return next(iter(known.values()))
    alike = {one.replace("_", "-"): one for one in known}
    found = alike.get(name.replace("_", "-"))
    if found is None:
        raise ConfigError(f"unknown metric {name!r}; {one_of(name, known)}")
    return known[found]


def mean_of_items(task: Task, name: str | None, purpose: str) -> Measure:
    """The metric of that name, which is asked for to compare or choose arms by; `ConfigError` where it cannot."""
    found = named(task, name)
    if not found.is_mean:
        raise ConfigError(
            f"{found.name} is no mean over the same items for every arm, so it {purpose}: take one of "
            f"{', '.join(_means(task))}"
        )
    return found


def least_credit(asked: Constraints | GateSettings, task: Task) -> float | None:
    """The least mean credit that is asked for; `ConfigError` where it is called accuracy and answers have degrees."""
    if asked.min_accuracy is not None and not task.rules.IS_BINARY:
        raise ConfigError(
            f"min_accuracy is for answers that are right or wrong, and those of kind {str(task.kind)!r} have degrees; "
            f"set min_credit, the least {task.noun}"
        )
    return asked.least_credit


def limits(asked: Constraints, task: Task) -> list[tuple[Measure, float]]:
    """Each metric that an arm to be chosen has a limit on, with it; `ConfigError` for one that limits nothing."""
    least = [(limited(task, name, limit, is_least=True), limit) for name, limit in asked.at_least.items()]
    most = [(limited(task, name, limit, is_least=False), limit) for name, limit in asked.at_most.items()]
    return [*least, *most]


def limited(task: Task, name: str, limit: float, *, is_least: bool) -> Measure:
    """The metric that a limit is set on, for an arm to be chosen; `ConfigError` for one that limits nothing."""
    found = mean_of_items(task, name, "cannot be limited here")
    option, other = ("at_least", "at_most") if is_least else ("at_most", "at_least")
    if is_least != found.is_more_better:
        better = "more" if found.is_more_better else "less"
        raise ConfigError(f"{option} {found.name}: of {found.noun} {better} is better; set {other}")
    low, high = found.bounds
    if not low <= limit <= high:
        raise ConfigError(f"{option} {found.name} = {limit:g}: expected {low:g} to {high:g}, as {found.noun} goes")
    return found


def estimates(rows: pd.DataFrame, task: Task) -> Mapping[str, Estimate]:
    """What the metric files come to over an arm's rows that did not fail."""
    codes, found = _codes(rows), {}
    for name, measure in of_files(task).items():
        values = measure.values(rows)
        if values is not None:
            known = ~np.isnan(values)
            found[name] = clusters.cluster_mean(values[known], codes[known], name=name)
    return found


def differences(pairs: pd.DataFrame, task: Task) -> list[Estimate]:
    """The metrics of arm a minus those of arm b, over rows with `gold_a`, and `label` and `credit` of a and b."""
    sides = [
        pairs[["gold_a", f"label_{side}", f"credit_{side}"]].set_axis(["gold", "label", "credit"], axis="columns")
        for side in ("a", "b")
    ]
    codes, found = _codes(pairs.rename(columns={"group_a": "group"})), []
    for name, measure in of_files(task).items():
        a, b = (measure.values(side) for side in sides)
        if a is not None and b is not None:
            known = ~np.isnan(a - b)
            found.append(clusters.cluster_mean((a - b)[known], codes[known], name=name))
    return found


def strata_of(gold: NDArray[np.object_], label_mix: Mapping[str, float]) -> Strata:
    """The items weighed to a mix of labels; `ConfigError` for shares that are none, or a label that no item has."""
    try:
        return strata.of(gold, label_mix)
    except ValueError as error:
        raise ConfigError(f"label mix: {error}; give label=share for each label of production") from None


def _means(task: Task) -> list[str]:
    return [name for name, measure in every(task).items() if measure.is_mean]


def _answers(rows: pd.DataFrame) -> list[str | None]:
    return [label if isinstance(label, str) else None for label in rows["label"].tolist()]


def _codes(rows: pd.DataFrame) -> NDArray[np.int64]:
    groups = rows["group"].to_numpy(object) if "group" in rows else np.full(len(rows), None, dtype=object)
    return panel.cluster_codes(groups)

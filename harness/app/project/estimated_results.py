"""The results of a split as estimated from few labels, for whoever reads results: a verdict, a report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from harness.analysis.summing import of_items
from harness.app.project import estimating, selecting
from harness.types import Outcome

if TYPE_CHECKING:
    from harness.analysis.estimation import ArmWorth, Gold
    from harness.analysis.results import Results, RunFacts, RunResult
    from harness.app.project.project import Project
    from harness.types import Dataset, Estimate


def results(project: Project, dataset: Dataset, split: str) -> Results:
    """The arms of a split with what was estimated in the place of gold alone; cost and time are those of all items.

    Metrics that are not estimated are left out: what gold alone says of them holds for a plain draw only.
    """
    made = estimating.estimate(project, dataset, split).checked()
    estimation, answered = made.estimation, made.estimation.answered
    selection, frame = project.store.selection(), project.store.runs()
    named = {run: name for one, name in zip(made.arms, answered.names, strict=True) for run in one.run_ids}
    facts = [_called(one, named[one.run_id]) for one in selecting.facts(frame, selection, made.arms)]
    rows = project.store.predictions(list(named), of_all=True)
    rows = rows[rows["example_id"].isin(answered.items)]
    found = project.analysed(dataset, split, facts, _with_gold(rows, estimation.gold)).by_arm
    worth = {arm.name: arm for arm in estimation.arms()}
    of_all = {name: of_items(mine) for name, mine in rows.groupby(rows["run_id"].map(named), sort=False)}
    runs = [replace(one, metrics=_metrics(worth[one.run.name], one), **of_all[one.run.name]) for one in found.runs]
    runs.sort(key=lambda one: (-(one.headline.value or 0.0), one.run.name))
    return replace(
        found,
        runs=tuple(runs),
        passed_over=made.passed_over,
        items=None,
        spreads=(),
        estimation=estimation,
        is_standing=False,
    )


def _called(run: RunFacts, name: str) -> RunFacts:
    """With the name of its arm among the estimates: runs of one arm are together."""
    return replace(run, name=name, arm_name=name)


def _with_gold(rows: pd.DataFrame, gold: Gold) -> pd.DataFrame:
    """The rows of the items with a label, with that label and what each answer is worth; a failed call none."""
    known = rows[rows["example_id"].isin(list(gold.of))]
    truth = known["example_id"].map(gold.of)
    answers = known["label"].astype(object).where(known["label"].notna(), None)
    credit = pd.Series([gold.credit(g, a) for g, a in zip(truth, answers, strict=True)], known.index, "Float64")
    return known.assign(gold=truth, credit=credit.mask(known["outcome"] == Outcome.FAILED.value))


def _metrics(worth: ArmWorth, one: RunResult) -> dict[str, Estimate]:
    estimated = {one.headline.name: worth.accuracy.estimate}
    macro = None if worth.macro_f1 is None else worth.macro_f1.estimate
    return estimated if macro is None or macro.low is None else estimated | {macro.name: macro}

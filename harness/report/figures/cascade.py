"""A stored cascade at every threshold: the share asked of the dear arm against accuracy, beside its bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness import numbers
from harness.comparison import Answers
from harness.fusion.members import NEVER, members
from harness.fusion.sweep import sweep, walk
from harness.report import queries
from harness.report.figures import _style
from harness.stats import intervals, routing
from harness.stats.paired import Table2x2

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.analysis import Results, RunResult
    from harness.fusion.members import Members
    from harness.types import Estimate

TITLE = "Fusions"
ORDER = 27
POINTS = 200  # thresholds drawn; more are one line to the eye


@dataclass(frozen=True)
class Swept:
    """A cascade of two arms on the items on which neither failed, a setting per entry.

    `threshold` is infinite where every item goes on. `by_lot` is what drawing the arm gets with the
    same share of dear calls, `most` what no choice passes. `chosen` is the stored setting's share
    of dear calls and its accuracy.
    """

    result: RunResult
    stages: tuple[RunResult, RunResult]
    threshold: list[float]
    share: list[float]
    right: list[int]
    cost_usd: list[float]
    by_lot: list[float]
    most: list[float]
    alone: tuple[Estimate, Estimate]
    chosen: tuple[float, Estimate]

    @property
    def n(self) -> int:
        """The items."""
        return self.chosen[1].n


def draw(results: Results) -> _style.Drawing | None:
    """The best cascade of two arms that are shown too; nothing without one."""
    found = _swept(results)
    if found is None:
        return None
    figure = _style.canvas()
    axes = figure.add_subplot()
    _lines(axes, found)
    _points(axes, found)
    _dress(axes, found)
    return _style.Drawing(
        figure,
        (
            "arm",
            "run_id",
            "threshold",
            "share_of_dear",
            "n",
            "accuracy",
            "low",
            "high",
            "by_lot",
            "most",
            "cost_per_1000_usd",
        ),
        tuple(_rows(found)),
        _alt(found),
        _caption(found),
        "Wilson",
        _sql(results, found),
    )


def _swept(results: Results) -> Swept | None:
    for result in results.runs:
        choice = result.run.params.get("choice")
        if not isinstance(choice, dict) or choice.get("how") != "cascade" or len(choice["parts"]) != 2:
            continue
        stages = [_stage(results, part) for part in choice["parts"]]
        if stages[0] is not None and stages[1] is not None:
            pair = (stages[0], stages[1])
            whole = members([Answers(one.run.arm, results.answers[one.run.run_id].rows) for one in pair]).whole()
            if whole.n:
                (threshold,) = choice["thresholds"]
                return _measured(result, pair, whole, NEVER if threshold is None else float(threshold))
    return None


def _stage(results: Results, part: dict[str, object]) -> RunResult | None:
    """The member's run among the results: the same arm and model, asked for the first time."""
    named = (part["arm"], part.get("model"))
    return next((one for one in results.runs if (one.run.arm, one.run.model) == named and not one.run.repeat), None)


def _measured(result: RunResult, stages: tuple[RunResult, RunResult], whole: Members, threshold: float) -> Swept:
    swept, walked = sweep(whole), walk(whole, [threshold])
    cheap, dear = whole.arms
    table, share = Table2x2.of(dear.right, cheap.right), swept.asked[:, 1]
    alone = [intervals.wilson(int(arm.right.sum()), whole.n) for arm in whole.arms]
    accuracies = [_style.value_of(one) for one in alone]
    return Swept(
        result,
        stages,
        threshold=swept.thresholds[:, 0].tolist(),
        share=share.tolist(),
        right=swept.right.tolist(),
        cost_usd=swept.cost_usd.tolist(),
        by_lot=[routing.random_accuracy(accuracies, [1 - one, one]) for one in share],
        most=[routing.oracle_at(table, float(one)) or 0.0 for one in share],
        alone=(alone[0], alone[1]),
        chosen=(float((walked.by == 1).mean()), intervals.wilson(int(walked.right.sum()), whole.n)),
    )


def _lines(axes: Axes, found: Swept) -> None:
    kept = np.unique(np.linspace(0, len(found.share) - 1, min(POINTS, len(found.share))).round().astype(int)).tolist()
    share = [found.share[i] for i in kept]
    ink = _style.ink()
    low, high = (_style.value_of(one) for one in found.alone)
    axes.plot(
        [found.share[i] for i in kept],
        [found.most[i] for i in kept],
        color=ink,
        linestyle=":",
        linewidth=1.6,
        label="oracle: the most with that share",
    )
    axes.plot(
        share,
        [found.right[i] / found.n for i in kept],
        color=_style.mark(0),
        linewidth=2,
        label="cascade, every threshold",
    )
    axes.plot([0, 1], [low, high], color=ink, linestyle="--", linewidth=1.3, label="the arm drawn by lot")


def _points(axes: Axes, found: Swept) -> None:
    places = [(0.0, found.alone[0]), (1.0, found.alone[1]), found.chosen]
    names = [_style.name_of(stage) for stage in found.stages]
    named = (f"{names[0]} alone", f"{names[1]} alone", "the chosen threshold")
    marks = ((1, "o"), (2, "D"), (0, "*"))
    for (share, estimate), name, (number, marker) in zip(places, named, marks, strict=True):
        below, above = _style.ends(estimate)
        axes.errorbar(
            [share],
            [_style.value_of(estimate)],
            yerr=[[below], [above]],
            fmt=marker,
            markersize=13 if marker == "*" else 7,
            color=_style.mark(number),
            elinewidth=1.6,
            label=name,
            zorder=4,
        )


def _dress(axes: Axes, found: Swept) -> None:
    axes.set_xlabel(f"share of items asked of {_style.name_of(found.stages[1])}")
    axes.set_ylabel("accuracy")
    axes.set_xlim(-0.03, 1.03)
    _style.grid(axes)
    _style.shares(axes, x=True, y=True)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)


def _rows(found: Swept) -> list[tuple[_style.Cell, ...]]:
    rows: list[tuple[_style.Cell, ...]] = []
    named = (found.result.run.arm, found.result.run.run_id)
    for i, threshold in enumerate(found.threshold):
        one = intervals.wilson(found.right[i], found.n)
        cost = None if np.isnan(found.cost_usd[i]) else 1000 * found.cost_usd[i]
        cells = (None if threshold == NEVER else threshold, found.share[i], one.n, one.value, one.low, one.high)
        rows.append((*named, *cells, found.by_lot[i], found.most[i], cost))
    return rows


def _alt(found: Swept) -> str:
    cheap, dear = (_style.name_of(stage) for stage in found.stages)
    share, estimate = found.chosen
    return (
        f"{_style.name_of(found.result)} at every threshold: {cheap} alone is right on "
        f"{numbers.share(found.alone[0].value)}, {dear} alone on {numbers.share(found.alone[1].value)}; the chosen "
        f"threshold asks {dear} for {numbers.share(share)} of the items and is right on "
        f"{numbers.with_interval(estimate)}; the most that any choice between the two gets is "
        f"{numbers.share(max(found.most))}."
    )


def _caption(found: Swept) -> str:
    return (
        f"{_style.name_of(found.result)} on the {numbers.plural(found.n, 'item')} on which neither arm failed: for "
        "every threshold the share asked of the dear arm against accuracy. The chosen threshold was taken on another "
        "split; a better one here is hindsight. The oracle is what no choice between the two passes with at most that "
        "share; drawing the arm by lot is what a score that knows nothing gets. Arms and the chosen setting with their "
        "95% intervals (Wilson)."
    )


def _sql(results: Results, found: Swept) -> str:
    """The accuracy at every threshold, by running sums in the order of the cheap arm's scores."""
    cheap, dear = (queries.quoted(stage.run.run_id) for stage in found.stages)
    scored = queries.scored(results, found.stages)
    score = "case when c.outcome = 'answered' then coalesce(c.score, 1) end"
    upto = "over (order by score desc nulls last)"  # items of equal score come in together
    return (
        f"with m as (select {score} as score, c.correct::int as cheap, d.correct::int as dear from {scored} c "
        f"join {scored} d using (example_id) where c.run_id = {cheap} and d.run_id = {dear} "
        "and c.correct is not null and d.correct is not null), "
        f"s as (select score as threshold, count(*) {upto} as kept, sum(cheap - dear) {upto} as gain from m), "
        "t as (select count(*) as n, sum(dear) as dear from m) "
        f"select {queries.quoted(found.result.run.run_id)} as run_id, threshold, n, 1 - kept / n as share_of_dear, "
        f"(dear + gain) / n as accuracy, {queries.wilson('(dear + gain)', 'n')} from (select distinct * from s "
        "where threshold is not null union all select null, 0, 0), t"
    )

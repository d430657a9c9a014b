"""Fusions of two arms: the share asked of the dear one against accuracy, at every threshold and as stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.analysis import lineage, panel, wording
from harness.analysis.comparison import Answers
from harness.analysis.fusion.members import NEVER, members
from harness.analysis.fusion.sweep import sweep
from harness.ground import formatting
from harness.report.figures import _looks, _style
from harness.stats import margins, routing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from harness.analysis.fusion.members import Members
    from harness.analysis.results import Results, RunResult
    from harness.analysis.wording import Wording
    from harness.report.figures._looks import Look
    from harness.types import Estimate

TITLE = "Fusions"
ORDER = 27
POINTS = 200  # thresholds drawn; more are one line to the eye
HOWS = ("cascade", "router")
SWEPT = "cascade, any threshold"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A stored fusion of the two arms, as it was chosen: its share of dear calls, accuracy and cost an item."""

    result: RunResult
    share: float
    accuracy: Estimate
    cost_usd: float | None

    @property
    def is_router(self) -> bool:
        """Whether it chose the arm before it asked one."""
        return bool(lineage.choice(self.result.run)["how"] == "router")


@dataclass(frozen=True)
class Swept:
    """The cascade of two arms on the items on which neither failed, a setting per entry.

    `threshold` is infinite where every item goes on; `credits` are the cheap arm's and the dear one's per item.
    `chosen` are the stored fusions of the two.
    """

    stages: tuple[RunResult, RunResult]
    credits: tuple[NDArray[np.float64], NDArray[np.float64]]
    threshold: list[float]
    share: list[float]
    accuracy: list[Estimate]
    cost_usd: list[float]
    alone: tuple[Estimate, Estimate]
    chosen: tuple[Chosen, ...]

    @property
    def n(self) -> int:
        """The items."""
        return len(self.credits[0])

    def by_lot(self, share: float) -> float:
        """What drawing the arm gets with that share of dear calls."""
        return routing.random_accuracy([_style.value_of(one) for one in self.alone], [1 - share, share])

    def most(self, share: float) -> float:
        """What no choice between the two passes with that share of dear calls."""
        cheap, dear = self.credits
        return routing.oracle_at(dear, cheap, share) or 0.0


def draw(results: Results) -> _style.Drawing | None:
    """The best cascade or router of two arms that are shown too, and its kin; nothing without one."""
    found = _swept(results)
    if found is None:
        return None
    figure = _style.canvas()
    axes = figure.add_subplot()
    known = _looks.looks(results)
    _lines(axes, found, next((known[one.result.run.arm_name].color for one in found.chosen), _style.ink()))
    _points(axes, found, known)
    _dress(axes, found)
    axes.set_ylabel(results.split.task.noun)
    return _style.Drawing(
        figure,
        (
            "arm",
            "run_id",
            "threshold",
            "share_of_dear",
            "n",
            results.split.task.noun,
            "low",
            "high",
            "by_lot",
            "most",
            "cost_per_1000_usd",
        ),
        tuple(_rows(found)),
        _alt(found, wording.of_headline(results.split.task)),
        _caption(found, wording.of_headline(results.split.task)),
        "Wilson",
    )


def _swept(results: Results) -> Swept | None:
    for result in results.runs:
        stages = _stages(results, result)
        if stages is not None:
            whole = _members(results, stages)
            if whole.n:
                return _measured(results, stages, whole)
    return None


def _stages(results: Results, result: RunResult) -> tuple[RunResult, RunResult] | None:
    """The two arms of a cascade or a router, where both are among the results."""
    members = lineage.members(results, result)
    if lineage.choice(result.run).get("how") not in HOWS or len(members) != 2:
        return None
    cheap, dear = members
    return None if lineage.choice(cheap.run) else (cheap, dear)  # of a fusion's answers nobody sees whose they were


def _called(stages: tuple[RunResult, RunResult]) -> list[str]:
    """What the path of an item calls the cheap arm where it alone was asked, or asked last."""
    cheap, dear = ({one.run.arm, one.run.name, one.run.arm_name} for one in stages)
    return sorted(cheap - dear)


def _members(results: Results, runs: Sequence[RunResult]) -> Members:
    """The arms on the items on which none of them failed."""
    return members([Answers(one.run.name, results.answers[one.run.run_id].rows) for one in runs]).whole()


def _measured(results: Results, stages: tuple[RunResult, RunResult], whole: Members) -> Swept:
    swept = sweep(whole)
    codes = panel.codes_of(whole.rows)
    cheap, dear = (margins.share(arm.credit, codes) for arm in whole.arms)
    squared = sweep(replace(whole, arms=tuple(replace(arm, credit=arm.credit**2) for arm in whole.arms)))
    kin = [one for one in results.runs if _stages(results, one) == stages and not one.run.repeat]
    return Swept(
        stages,
        (whole.arms[0].credit, whole.arms[1].credit),
        threshold=swept.thresholds[:, 0].tolist(),
        share=swept.asked[:, 1].tolist(),
        accuracy=[
            margins.share_of_sums(total, squares, whole.n, groups=groups)
            for total, squares, groups in zip(
                swept.credit.tolist(),
                squared.credit.tolist(),
                _of_groups(whole, codes, swept.thresholds[:, 0]),
                strict=True,
            )
        ],
        cost_usd=swept.cost_usd.tolist(),
        alone=(cheap, dear),
        chosen=tuple(_chosen(results, one, stages) for one in kin),
    )


def _of_groups(
    whole: Members, codes: NDArray[np.int64], thresholds: NDArray[np.float64]
) -> list[margins.GroupSums | None]:
    """The sums over groups at each threshold: item by item, the surest first, the cheap arm's answer comes to stand."""
    sizes = np.bincount(codes).astype(np.float64)
    if len(sizes) == whole.n:
        return [None] * len(thresholds)
    cheap, dear = whole.arms
    order = np.argsort(-cheap.confidence, kind="stable")
    group, gain = codes[order], (cheap.credit - dear.credit)[order]
    alone = np.bincount(codes, weights=dear.credit)
    before = alone[group] + pd.Series(gain).groupby(group).cumsum().to_numpy() - gain
    squares = np.concatenate([[0.0], np.cumsum(2 * before * gain + gain**2)]) + (alone**2).sum()
    crossed = np.concatenate([[0.0], np.cumsum(gain * sizes[group])]) + alone @ sizes
    stay = np.searchsorted(-cheap.confidence[order], -thresholds, side="right")
    of = float(sizes @ sizes)
    return [margins.GroupSums(float(squares[k]), float(crossed[k]), of, len(sizes)) for k in stay]


def _chosen(results: Results, result: RunResult, stages: tuple[RunResult, RunResult]) -> Chosen:
    """The stored answers of a fusion, on the items on which neither of its arms failed."""
    fused = _members(results, (*stages, result))
    rows = results.answers[result.run.run_id].rows.set_index("example_id")
    asked = ~rows.loc[fused.rows["example_id"], "answered_by"].isin(_called(stages))
    cost = float(fused.arms[2].cost_usd.mean())
    accuracy = margins.share(fused.arms[2].credit, panel.codes_of(fused.rows))
    return Chosen(result, float(asked.mean()), accuracy, None if np.isnan(cost) else cost)


def _lines(axes: Axes, found: Swept, color: str) -> None:
    kept = np.unique(np.linspace(0, len(found.share) - 1, min(POINTS, len(found.share))).round().astype(int)).tolist()
    share = [found.share[i] for i in kept]
    ink = _style.ink()
    low, high = (_style.value_of(one) for one in found.alone)
    axes.plot(
        share,
        [found.most(one) for one in share],
        color=ink,
        linestyle=":",
        linewidth=1.6,
        label="oracle: the most with that share",
    )
    axes.plot(
        share,
        [_style.value_of(found.accuracy[i]) for i in kept],
        color=color,
        linewidth=2,
        label="cascade, every threshold",
    )
    axes.plot([0, 1], [low, high], color=ink, linestyle="--", linewidth=1.3, label="the arm drawn by lot")


def _points(axes: Axes, found: Swept, known: Mapping[str, Look]) -> None:
    cheap, dear = found.stages
    for share, result, accuracy in ((0.0, cheap, found.alone[0]), (1.0, dear, found.alone[1])):
        _point(axes, share, accuracy, f"{_style.name_of(result)} alone", known[result.run.arm_name])
    for one in found.chosen:
        name = "router, as chosen" if one.is_router else "cascade, as chosen"
        _point(axes, one.share, one.accuracy, name, known[one.result.run.arm_name])


def _point(axes: Axes, share: float, accuracy: Estimate, name: str, look: Look) -> None:
    below, above = _style.ends(accuracy)
    axes.errorbar(
        [share],
        [_style.value_of(accuracy)],
        yerr=[[below], [above]],
        linestyle="",
        elinewidth=1.6,
        label=name,
        zorder=4,
        **look.drawn(7),
    )


def _dress(axes: Axes, found: Swept) -> None:
    axes.set_xlabel(f"share of items asked of {_style.name_of(found.stages[1])}")
    axes.set_xlim(-0.03, 1.03)
    _style.grid(axes)
    _style.shares(axes, x=True, y=True)
    _style.legend(axes)


def _rows(found: Swept) -> list[tuple[_style.Cell, ...]]:
    """The stored fusions first, then the cascade at every threshold."""
    rows = [
        (one.result.run.name, one.result.run.run_id, *_cells(found, None, one.share, one.accuracy, one.cost_usd))
        for one in found.chosen
    ]
    settings = zip(found.threshold, found.share, found.accuracy, found.cost_usd, strict=True)
    for threshold, share, accuracy, cost in settings:
        least = None if threshold == NEVER else threshold
        rows.append((SWEPT, None, *_cells(found, least, share, accuracy, None if np.isnan(cost) else cost)))
    return rows


def _cells(
    found: Swept, threshold: float | None, share: float, accuracy: Estimate, cost_usd: float | None
) -> tuple[_style.Cell, ...]:
    bounds = (accuracy.value, accuracy.low, accuracy.high, found.by_lot(share), found.most(share))
    return (threshold, share, accuracy.n, *bounds, None if cost_usd is None else 1000 * cost_usd)


def _alt(found: Swept, said: Wording) -> str:
    cheap, dear = (_style.name_of(stage) for stage in found.stages)
    chosen = "; ".join(
        f"{_style.name_of(one.result)}, as chosen, asks {dear} for {formatting.share(one.share)} of the items and "
        f"{said.has(formatting.with_interval(one.accuracy))}"
        for one in found.chosen
    )
    return (
        f"The cascade {cheap} > {dear} at every threshold: {cheap} alone "
        f"{said.has(formatting.share(found.alone[0].value))}, {dear} alone {'on' if said.counts_right else 'of'} "
        f"{formatting.share(found.alone[1].value)}; "
        f"{chosen}; the "
        f"most that any choice between the two gets is {formatting.share(max(map(found.most, found.share)))}."
    )


def _caption(found: Swept, said: Wording) -> str:
    cheap, dear = (_style.name_of(stage) for stage in found.stages)
    return (
        f"{cheap} and {dear} on the {formatting.plural(found.n, 'item')} on which neither failed: for every threshold "
        "of "
        f"the cascade the share asked of the dear arm against {said.noun}. Chosen settings were taken on another "
        "split; a better threshold here is hindsight. "
        "The oracle is what no choice between the two passes with at most that "
        "share; drawing the arm by lot is what a score that knows nothing gets. Arms and chosen settings with their "
        f"95% intervals{' (Wilson)' if said.counts_right else ''}."
    )

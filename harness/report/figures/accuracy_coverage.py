"""Accuracy against coverage: what an arm gets right when it may leave the unsure items to somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import panel
from harness.ground import formatting
from harness.report.figures import _looks, _style
from harness.stats import margins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.analysis.results import Results, RunResult
    from harness.report.figures._looks import Look
    from harness.types import Estimate

TITLE = "Accuracy against coverage"
ORDER = 52
NEEDS = ("right or wrong",)
POINTS = 100
BANDS = 2  # more would hide the lines; the table has all
FEWEST = 10  # items: below that the line is noise


def draw(results: Results) -> _style.Drawing | None:
    """A line per arm whose answers carry scores; nothing when none does."""
    arms = _style.scored(results)
    if not arms:
        return None
    figure = _style.canvas()
    axes = figure.add_subplot()
    rows: list[tuple[_style.Cell, ...]] = []
    told, lowest, known = [], 1.0, _looks.looks(results)
    for number, result in enumerate(arms):
        steps = _steps(results, result)
        _line(axes, (known[result.run.arm_name], _style.name_of(result)), steps, has_band=number < BANDS)
        lowest = min(lowest, *(_style.value_of(found) for _, _, found in steps))
        for coverage, threshold, found in steps:
            named = (result.run.name, result.run.run_id)
            rows.append((*named, coverage, threshold, found.n, found.value, found.low, found.high))
        half = min(steps, key=lambda step: abs(step[0] - 0.5))
        told.append(
            f"{_style.name_of(result)} is right on {formatting.share(half[2].value)} of its surest "
            f"{formatting.share(half[0], 2)} and on {formatting.share(steps[-1][2].value)} of all it answers"
        )
    _dress(axes, lowest)
    return _style.Drawing(
        figure,
        ("arm", "run_id", "coverage", "least_score", "n", "accuracy", "low", "high"),
        tuple(rows),
        f"Accuracy against coverage: {'; '.join(told)}.",
        "Items in the order of their score, the surest first: the share answered against the accuracy on those, with "
        "Wilson's 95% interval at each point for the first two. The further a line stays up to the right, the more "
        "of the work an arm can take before somebody dearer has to be asked.",
        "Wilson, at each point",
    )


def _steps(results: Results, result: RunResult) -> list[tuple[float, float, Estimate]]:
    """Coverage, least score and accuracy, at up to POINTS thresholds; items of equal score go together."""
    rows = results.answers[result.run.run_id].rows
    rows = rows[rows["outcome"] != "failed"]
    answered = rows[rows["outcome"] == "answered"].sort_values(["score", "example_id"], ascending=[False, True])
    scores, credit = answered["score"].to_numpy(float), answered["credit"].to_numpy(float)
    codes = panel.codes_of(answered)
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    last = last[(last >= FEWEST - 1) | (last == len(scores) - 1)]
    chosen = last[np.unique(np.linspace(0, len(last) - 1, min(POINTS, len(last))).astype(int))]
    return [
        ((i + 1) / len(rows), float(scores[i]), margins.share(credit[: i + 1], codes[: i + 1])) for i in chosen.tolist()
    ]


def _line(axes: Axes, arm: tuple[Look, str], steps: list[tuple[float, float, Estimate]], *, has_band: bool) -> None:
    (look, name), coverage = arm, [step[0] for step in steps]
    if has_band:
        low, high = [step[2].low or 0.0 for step in steps], [step[2].high or 0.0 for step in steps]
        axes.fill_between(coverage, low, high, color=look.color, alpha=0.13, linewidth=0)
    axes.plot(
        coverage,
        [_style.value_of(step[2]) for step in steps],
        linestyle=look.dashes,
        linewidth=2,
        markevery=[len(steps) - 1],
        label=name,
        **look.drawn(),
    )


def _dress(axes: Axes, lowest: float) -> None:
    axes.set_xlabel("coverage: share of items answered, the surest first")
    axes.set_ylabel("accuracy on those")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(max(-0.02, lowest - 0.08), 1.012)
    _style.grid(axes)
    _style.shares(axes, x=True, y=True)
    _style.legend(axes)

"""Reliability: whether an arm that says .9 proves right nine times in ten."""

from __future__ import annotations

from math import ceil
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

TITLE = "Calibration"
ORDER = 50
NEEDS = ("right or wrong",)
BINS = 10
FEWEST = 8  # items in a bin
PANEL_INCHES = 1.7


def draw(results: Results) -> _style.Drawing | None:
    """A panel per arm whose answers carry scores; nothing when none does."""
    arms = _style.scored(results)
    if not arms:
        return None
    across = min(len(arms), max(1, int(_style.FRAME.get().width / PANEL_INCHES)))
    down = ceil(len(arms) / across)
    figure = _style.canvas(1.0 + 2.4 * down)
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for unused in panels[len(arms) :]:
        unused.remove()
    known = _looks.looks(results)
    rows: list[tuple[_style.Cell, ...]] = []
    told = []
    for axes, result in zip(panels, arms, strict=False):
        bins = _bins(results, result)
        _panel(axes, known[result.run.arm_name], bins)
        axes.set_title(
            _style.said(_style.name_of(result), _style.letters(_style.FRAME.get().width / across - 0.45, 10)),
            fontsize=10,
            loc="left",
        )
        for score, found in bins:
            named = (result.run.name, result.run.run_id)
            rows.append((*named, score, found.n, found.value, found.low, found.high))
        told.append(f"{_style.name_of(result)} {_in_words(bins)}")
    for axes in panels[::across]:
        axes.set_ylabel("accuracy")
    return _style.Drawing(
        figure,
        ("arm", "run_id", "mean_score", "n", "accuracy", "low", "high"),
        tuple(rows),
        f"Reliability of scores: {'; '.join(told)}.",
        f"Answered items in up to {BINS} equally large bins by score: mean score against accuracy, with Wilson's 95% "
        "interval. On the diagonal a score means what it says; above it the arm is better than that.",
        "Wilson",
    )


def _bins(results: Results, result: RunResult) -> list[tuple[float, Estimate]]:
    rows = results.answers[result.run.run_id].rows
    answered = rows[rows["outcome"] == "answered"].sort_values(["score", "example_id"])
    scores, credit = answered["score"].to_numpy(float), answered["credit"].to_numpy(float)
    codes = panel.codes_of(answered)
    count = max(1, min(BINS, len(scores) // FEWEST))
    parts = np.array_split(np.arange(len(scores)), count)
    return [(float(scores[part].mean()), margins.share(credit[part], codes[part])) for part in parts if len(part)]


def _panel(axes: Axes, look: Look, bins: list[tuple[float, Estimate]]) -> None:
    axes.plot([0, 1], [0, 1], color=_style.ink(), alpha=0.4, linewidth=1, zorder=1)
    ends = [_style.ends(found) for _, found in bins]
    axes.errorbar(
        [score for score, _ in bins],
        [_style.value_of(found) for _, found in bins],
        yerr=np.array(ends).T,
        linewidth=1.2,
        elinewidth=1.4,
        zorder=2,
        **look.drawn(5),
    )
    axes.set_xlabel("score")
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    _style.grid(axes)
    _style.shares(axes, x=True, y=True)


def _in_words(bins: list[tuple[float, Estimate]]) -> str:
    (low_score, low), (high_score, high) = bins[0], bins[-1]
    return (
        f"says {formatting.share(low_score, 2)} where it is right on {formatting.share(low.value, 2)}, and "
        f"{formatting.share(high_score, 2)} where it is right on {formatting.share(high.value, 2)}"
    )

"""Reliability: whether an arm that says .9 proves right nine times in ten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.ground import formatting
from harness.report.figures import _style
from harness.stats import margins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.analysis.results import Results, RunResult
    from harness.types import Estimate

TITLE = "Calibration"
ORDER = 50
KINDS = ("single",)
BINS = 10
FEWEST = 8  # items in a bin


def draw(results: Results) -> _style.Drawing | None:
    """A panel per arm whose answers carry scores; nothing when none does."""
    arms = _style.scored(results)
    if not arms:
        return None
    figure = _style.canvas(3.4)
    panels = figure.subplots(1, len(arms), sharex=True, sharey=True, squeeze=False)[0]
    rows: list[tuple[_style.Cell, ...]] = []
    told = []
    for number, (axes, result) in enumerate(zip(panels, arms, strict=True)):
        bins = _bins(results, result)
        _panel(axes, number, result, bins)
        for score, found in bins:
            named = (result.run.name, result.run.run_id)
            rows.append((*named, score, found.n, found.value, found.low, found.high))
        told.append(f"{_style.name_of(result)} {_in_words(bins)}")
    panels[0].set_ylabel("accuracy")
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
    count = max(1, min(BINS, len(scores) // FEWEST))
    parts = np.array_split(np.arange(len(scores)), count)
    return [(float(scores[part].mean()), margins.share(credit[part])) for part in parts if len(part)]


def _panel(axes: Axes, number: int, result: RunResult, bins: list[tuple[float, Estimate]]) -> None:
    axes.plot([0, 1], [0, 1], color=_style.ink(), alpha=0.4, linewidth=1, zorder=1)
    ends = [_style.ends(found) for _, found in bins]
    axes.errorbar(
        [score for score, _ in bins],
        [_style.value_of(found) for _, found in bins],
        yerr=np.array(ends).T,
        fmt=_style.MARKERS[number] + _style.DASHES[0],
        markersize=5,
        linewidth=1.2,
        elinewidth=1.4,
        color=_style.mark(number),
        zorder=2,
    )
    axes.set_title(_style.said(_style.name_of(result), 22), fontsize=10, loc="left")
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

"""Learning curves: what more labels buy, and where a curve meets the best prompt."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.analysis import curves, panel, wording
from harness.ground import formatting
from harness.report import queries
from harness.report.figures import _labels, _looks, _style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from harness.analysis.curves import Curve, Curves
    from harness.analysis.results import Results, RunResult
    from harness.report.figures._looks import Look
    from harness.types import Estimate

    Level = tuple[RunResult, Estimate]
    Place = tuple[float, float]

TITLE = "Learning curves"
ORDER = 29
LEVELS = 3
MARK, CROSS = 5.5, 9.0  # points
MOST_TICKS = 8
PIECES = 8


def draw(results: Results) -> _style.Drawing | None:
    """A line per arm, the best prompts as levels, the crossings; nothing without a stored curve."""
    found = results.curves
    if found is None:
        return None
    shown, levels = found.drawn[: _style.SERIES], _levels(results, found)
    figure = _style.canvas()
    axes = figure.add_subplot()
    _dress(axes, shown, [level for _, level in levels])
    axes.set_ylabel(results.split.task.noun)
    known = _looks.looks(results)
    for curve in shown:
        _line(axes, known[curve.arm], curve, found)
    for result, level in levels:
        _level(axes, known[result.run.arm_name], f"{_style.name_of(result)}, {formatting.share(level.value)}", level)
    for curve in shown:
        _cross(axes, known[curve.arm], curve)
    _style.legend(axes)
    return _style.Drawing(
        figure,
        ("arm", "run_id", "labels", "seed", "n", results.split.task.noun, "mean", "low", "high"),
        (*_rows(found), *(_level_row(result, level) for result, level in levels)),
        f"{wording.of_headline(results.split.task).title} by number of labels: "
        f"{'; '.join(_told(curve) for curve in shown)}.",
        _caption(found, levels),
        "percentile bootstrap of seeds x items; of prompts: Wilson",
        queries.line(results, "curve_points"),
        settle=partial(_name, axes, [(known[curve.arm], curve) for curve in shown]),
    )


def _levels(results: Results, found: Curves) -> list[Level]:
    """The best prompts on the curve's items, the one that the curves are held against among them."""
    items = set(found.learnt[0].items)
    prompts = [one for one in results.runs if "prompt" in one.run.params and not one.run.repeat]
    prompts.sort(key=lambda one: one.run.run_id != found.rival_id)
    levels = []
    for result in prompts:
        rows = results.answers[result.run.run_id].rows.dropna(subset=["credit"])
        asked = rows[rows["example_id"].isin(items)]
        if len(asked):
            levels.append((result, panel.share(asked)))
    return levels[:LEVELS]


def _level(axes: Axes, look: Look, name: str, level: Estimate) -> None:
    """A prompt's accuracy, which no label changes: a dashed line, its marker at both ends."""
    height = [_style.value_of(level)] * 2
    drawn = look.drawn(MARK) | {"linestyle": look.dashes if look.marker != "o" else "--"}
    axes.plot(axes.get_xlim(), height, linewidth=1.4, label=name, zorder=1, clip_on=False, **drawn)


def _line(axes: Axes, look: Look, curve: Curve, found: Curves) -> None:
    """The mean with its band, and a dot for each draw of labels."""
    labels, color = [point.n_labels for point in curve.points], look.color
    ends = [(point.estimate.low or 0.0, point.estimate.high or 0.0) for point in curve.points]
    axes.fill_between(
        labels, [low for low, _ in ends], [high for _, high in ends], color=color, alpha=0.13, linewidth=0
    )
    fits = [fit for fit in found.fits if fit.arm == curve.arm]
    axes.plot(
        [fit.n_labels for fit in fits],
        [fit.accuracy for fit in fits],
        linestyle="",
        marker=".",
        markersize=4,
        alpha=0.55,
        color=color,
    )
    axes.plot(
        labels,
        [_style.value_of(point.estimate) for point in curve.points],
        linewidth=2,
        label=_style.said(curve.arm),
        zorder=3,
        gid=f"mark:{curve.arm}",
        **look.drawn(MARK),
    )


def _cross(axes: Axes, look: Look, curve: Curve) -> None:
    """Where the curve meets the level: a cross with its interval, open to the right where it is not closed."""
    crossing, level = curve.crossover, curve.level
    if crossing is None or crossing.labels is None or crossing.low is None or level is None:
        return
    y, color = _style.value_of(level), look.color
    right = axes.get_xlim()[1] if crossing.high is None else crossing.high
    axes.plot([crossing.low, right], [y, y], color=color, linewidth=4, alpha=0.6, solid_capstyle="butt", zorder=2)
    axes.plot(
        [crossing.labels],
        [y],
        linestyle="",
        marker="X",
        markersize=CROSS,
        color=color,
        zorder=5,
        gid=f"mark:{curve.arm}",
    )


def _name(axes: Axes, shown: Sequence[tuple[Look, Curve]], _laid_out: Callable[[], None]) -> None:
    """How many labels a crossing takes, beside its cross; where no place is free the figure's words have it."""
    names, marks, lines = [], [], []
    for look, curve in shown:
        places = [(point.n_labels, _style.value_of(point.estimate)) for point in curve.points]
        marks += [_labels.box_around(axes, [place], look.size(MARK) / 2 + 1) for place in places]
        for pair in pairwise(places):
            lines += [_labels.box_around(axes, part, 1) for part in _parts(axes, *pair)]
        crossing, level = curve.crossover, curve.level
        if crossing is not None and crossing.labels is not None and level is not None:
            at = (crossing.labels, _style.value_of(level))
            marks.append(_labels.box_around(axes, [at], CROSS / 2))
            ends = [(crossing.low or at[0], at[1]), (crossing.high or axes.get_xlim()[1], at[1])]
            lines.append(_labels.box_around(axes, ends, 2))
            text = f"{crossing.labels:,.0f} labels ({curves.crossed_between(crossing)})"
            names.append(_labels.Name(text, (at,), CROSS / 2, look.color))
    _labels.place(axes, names, np.array(marks), np.array(lines))


def _parts(axes: Axes, start: Place, end: Place) -> list[list[Place]]:
    """A slanting line in pieces whose boxes hug it."""
    (x0, y0), (x1, y1) = axes.transData.transform([start, end])
    steps = np.linspace(0, 1, PIECES + 1)
    points = axes.transData.inverted().transform(np.column_stack([x0 + steps * (x1 - x0), y0 + steps * (y1 - y0)]))
    corners: list[Place] = [(float(x), float(y)) for x, y in points]
    return [list(pair) for pair in pairwise(corners)]


def _dress(axes: Axes, shown: tuple[Curve, ...], levels: list[Estimate]) -> None:
    sizes = sorted({point.n_labels for curve in shown for point in curve.points})
    lows = [point.estimate.low or 0.0 for curve in shown for point in curve.points]
    highs = [point.estimate.high or 0.0 for curve in shown for point in curve.points]
    heights = [_style.value_of(level) for level in levels]
    axes.set_xscale("log")
    axes.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
    axes.set_ylim(max(-0.02, min(lows + heights) - 0.05), min(1.03, max(highs + heights) + 0.08))
    axes.set_xlabel("labels learnt from")
    if len(sizes) <= MOST_TICKS:
        axes.set_xticks(sizes)
    else:
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    _style.grid(axes)
    _style.shares(axes, y=True)


def _told(curve: Curve) -> str:
    first, last = curve.points[0], curve.points[-1]
    said = (
        f"{_style.said(curve.arm)} goes from {formatting.share(first.estimate.value)} with {first.n_labels:,} to "
        f"{formatting.share(last.estimate.value)} with {last.n_labels:,}"
    )
    crossing = curve.crossover
    if crossing is None:
        return said
    if crossing.labels is None:
        return f"{said} and does not meet {_style.said(str(curve.rival))}"
    met = f"{crossing.labels:,.0f} ({curves.crossed_between(crossing)})"
    return f"{said} and meets {_style.said(str(curve.rival))} with {met}"


def _caption(found: Curves, levels: list[Level]) -> str:
    caption = (
        "Lines: the mean over draws of so many labels, with the 95% interval of draws and items together; dots: each "
        "draw. The number of labels is on a logarithmic axis."
    )
    if levels:
        caption += " Level lines: prompts, which learn from no label."
    if found.rival is not None:
        caption += f" A cross with its interval: where a curve meets the best of them, {_style.said(found.rival.name)}."
    if len(found.drawn) > _style.SERIES:
        left_out = ", ".join(_style.said(curve.arm) for curve in found.drawn[_style.SERIES :])
        caption += f" Not drawn, but in the table behind the figure: {left_out}."
    return caption


def _rows(found: Curves) -> list[tuple[_style.Cell, ...]]:
    points = {(curve.arm, point.n_labels): point.estimate for curve in found.drawn for point in curve.points}
    rows: list[tuple[_style.Cell, ...]] = []
    for fit in found.fits:
        mean = points[fit.arm, fit.n_labels]
        named = (fit.arm, fit.run_id, fit.n_labels, fit.seed, fit.n, fit.accuracy)
        rows.append((*named, mean.value, mean.low, mean.high))
    return rows


def _level_row(result: RunResult, level: Estimate) -> tuple[_style.Cell, ...]:
    run = result.run
    return run.name, run.run_id, None, run.seed, level.n, level.value, level.value, level.low, level.high

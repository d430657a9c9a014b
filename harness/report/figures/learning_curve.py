"""Learning curves: what more labels buy, and where a curve meets the best prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.analysis import curves
from harness.ground import formatting
from harness.report import queries
from harness.report.figures import _style
from harness.stats import margins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.analysis.curves import Curve, Curves
    from harness.analysis.results import Results, RunResult
    from harness.types import Estimate

    Level = tuple[RunResult, Estimate]

TITLE = "Learning curves"
ORDER = 29
LEVELS = 3
LEVEL_DASHES = ("--", ":", "-.")
MOST_TICKS = 8


def draw(results: Results) -> _style.Drawing | None:
    """A line per arm, the best prompts as levels, the crossings; nothing without a stored curve."""
    found = results.curves
    if found is None:
        return None
    shown, levels = found.drawn[: _style.SERIES], _levels(results, found)
    figure = _style.canvas()
    axes = figure.add_subplot()
    _dress(axes, shown, [level for _, level in levels])
    for number, curve in enumerate(shown):
        _line(axes, number, curve, found)
    for dashes, (result, level) in zip(LEVEL_DASHES, levels, strict=False):
        name = f"{_style.name_of(result)}, {formatting.share(level.value)}"
        axes.axhline(_style.value_of(level), color=_style.ink(), linestyle=dashes, linewidth=1.4, label=name, zorder=1)
    for number, curve in enumerate(shown):
        _cross(axes, number, curve)
    _style.legend(axes)
    return _style.Drawing(
        figure,
        ("arm", "run_id", "labels", "seed", "n", "accuracy", "mean", "low", "high"),
        (*_rows(found), *(_level_row(result, level) for result, level in levels)),
        f"Accuracy by number of labels: {'; '.join(_told(curve) for curve in shown)}.",
        _caption(found, levels),
        "percentile bootstrap of seeds x items; of prompts: Wilson",
        queries.line(results, "curve_points"),
    )


def _levels(results: Results, found: Curves) -> list[Level]:
    """The best prompts on the curve's items, the one that the curves are held against among them."""
    items = set(found.learnt[0].items)
    prompts = [one for one in results.runs if "prompt" in one.run.params and not one.run.repeat]
    prompts.sort(key=lambda one: one.run.run_id != found.rival_id)
    levels = []
    for result in prompts:
        rows = results.answers[result.run.run_id].rows.dropna(subset=["credit"])
        credit = rows[rows["example_id"].isin(items)]["credit"]
        if len(credit):
            levels.append((result, margins.share(credit)))
    return levels[:LEVELS]


def _line(axes: Axes, number: int, curve: Curve, found: Curves) -> None:
    """The mean with its band, and a dot for each draw of labels."""
    labels, color = [point.n_labels for point in curve.points], _style.mark(number)
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
        color=color,
        linewidth=2,
        marker=_style.MARKERS[number],
        markersize=5.5,
        label=_style.said(curve.arm),
        zorder=3,
    )


def _cross(axes: Axes, number: int, curve: Curve) -> None:
    """Where the curve meets the level: a cross with its interval, open to the right where it is not closed."""
    crossing, level = curve.crossover, curve.level
    if crossing is None or crossing.labels is None or crossing.low is None or level is None:
        return
    y, color = _style.value_of(level), _style.mark(number)
    right = axes.get_xlim()[1] if crossing.high is None else crossing.high
    axes.plot([crossing.low, right], [y, y], color=color, linewidth=4, alpha=0.6, solid_capstyle="butt", zorder=2)
    axes.plot([crossing.labels], [y], linestyle="", marker="X", markersize=9, color=color, zorder=5)
    axes.annotate(
        f"{crossing.labels:,.0f} labels ({curves.crossed_between(crossing)})",
        (crossing.labels, y),
        xytext=(0, 9 + 13 * number),
        textcoords="offset points",
        ha="center",
        fontsize=9,
        color=color,
        path_effects=_style.halo(),
        zorder=6,
    )


def _dress(axes: Axes, shown: tuple[Curve, ...], levels: list[Estimate]) -> None:
    sizes = sorted({point.n_labels for curve in shown for point in curve.points})
    lows = [point.estimate.low or 0.0 for curve in shown for point in curve.points]
    highs = [point.estimate.high or 0.0 for curve in shown for point in curve.points]
    heights = [_style.value_of(level) for level in levels]
    axes.set_xscale("log")
    axes.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
    axes.set_ylim(max(-0.02, min(lows + heights) - 0.05), min(1.03, max(highs + heights) + 0.08))
    axes.set_xlabel("labels learnt from")
    axes.set_ylabel("accuracy")
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

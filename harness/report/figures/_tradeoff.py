"""Accuracy against something that should be small, on a log axis: points, intervals, and the Pareto front."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.report.figures import _labels, _style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from harness.analysis.results import RunResult
    from harness.report.figures._looks import Look

WIDE = 100  # times as dear
MARK = 6.5  # points
LINE = 1.6  # points
LEAST_SPREAD = 3.0  # times: nearer arms are not drawn further apart
ARM, NARROW_ARM = 0.04, 0.1  # inches higher for each arm, so that its name finds room


@dataclass(frozen=True, slots=True)
class Marker:
    """An arm's look and place: `x` on the axis that should be small, `worst` a second, larger value of it or None."""

    result: RunResult
    look: Look
    x: float
    worst: float | None = None

    @property
    def y(self) -> float:
        """The accuracy."""
        return _style.value_of(self.result.headline)


def draw(
    points: Sequence[Marker], y_label: str, x_label: str, x_printed: Callable[[float], str]
) -> tuple[Figure, Callable[[Callable[[], None]], None]]:
    """The figure, without title and names; and what puts the names in once it is laid out."""
    figure = _style.canvas(_style.HEIGHT + (NARROW_ARM if _style.is_narrow() else ARM) * len(points))
    axes = figure.add_subplot()
    axes.set_xscale("log")
    all_x = [x for point in points for x in (point.x, point.worst) if x]
    spread = max(max(all_x) / min(all_x), LEAST_SPREAD)
    axes.set_xlim(min(all_x) / spread**0.15, max(all_x) * spread**0.3)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    _style.grid(axes)
    _style.shares(axes, y=True)
    axes.step(*_steps(points), where="post", color=_style.ink(), alpha=0.4, linewidth=1.2, zorder=1)
    for point in points:
        _draw_point(axes, point)
    if max(all_x) < WIDE * min(all_x):  # one or two powers of ten would be the only numbers on the axis
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: x_printed(float(value))))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _style.legend(axes, _kinds(points))
    return figure, partial(_name, axes, points)


def front(points: Sequence[Marker]) -> list[Marker]:
    """The points that no other beats in both directions, smallest x first."""
    found: list[Marker] = []
    for point in sorted(points, key=lambda point: (point.x, -point.y)):
        if not found or point.y > found[-1].y:
            found.append(point)
    return found


def _steps(points: Sequence[Marker]) -> tuple[list[float], list[float]]:
    on_front = front(points)
    return [point.x for point in on_front], [point.y for point in on_front]


def _draw_point(axes: Axes, point: Marker) -> None:
    below, above = _style.ends(point.result.headline)
    color, name = point.look.color, f"mark:{point.result.run.run_id}"
    if point.worst:
        axes.plot([point.x, point.worst], [point.y] * 2, color=color, linewidth=LINE, alpha=0.5, zorder=2, gid=name)
    bars = axes.errorbar(
        [point.x], [point.y], yerr=[[below], [above]], elinewidth=LINE, zorder=3, **point.look.drawn(MARK)
    )
    for one in bars.get_children():
        one.set_gid(name)


def _name(axes: Axes, points: Sequence[Marker], laid_out: Callable[[], None]) -> None:
    """Names beside the points; those that find no place stand in the legend, which every arm has its own mark for."""
    named, listed = sorted(points, key=lambda point: -point.y), list[Marker]()
    figure = axes.get_figure(root=True)
    height = 0.0 if figure is None else figure.get_figheight()
    while named:
        marks = np.array([box for point in points for box in _boxes(axes, point)])
        left = _labels.place(axes, [_as_name(point) for point in named], marks, _step_boxes(axes, points))
        if not left:
            return
        listed += [named[number] for number in left]
        named = [point for number, point in enumerate(named) if number not in left]
        for drawn in list(axes.texts):
            drawn.remove()
        entries = [point.look.entry(_style.name_of(point.result)) for point in listed]
        rows = _style.legend(axes, [*_kinds(points), *entries])
        if figure is not None and _style.FRAME.get().height is None:
            figure.set_figheight(height + rows * _style.LEGEND_ROW_INCHES)
        laid_out()


def _as_name(point: Marker) -> _labels.Name:
    anchors = ((point.x, point.y),) + (((point.worst, point.y),) if point.worst else ())
    return _labels.Name(_style.name_of(point.result), anchors[::-1], point.look.size(MARK) / 2 + 1)


def _boxes(axes: Axes, point: Marker) -> list[NDArray[np.float64]]:
    """What is drawn of a point: its marker, its interval, and the line to its worst."""
    below, above = _style.ends(point.result.headline)
    interval = [(point.x, point.y - below), (point.x, point.y + above)]
    around = point.look.size(MARK) / 2 + 1
    found = [((point.x, point.y),), interval] + ([[(point.x, point.y), (point.worst, point.y)]] if point.worst else [])
    reach = (around, LINE / 2, LINE / 2)
    return [_labels.box_around(axes, one, far) for one, far in zip(found, reach, strict=False)]


def _step_boxes(axes: Axes, points: Sequence[Marker]) -> NDArray[np.float64]:
    """The parts of the step line."""
    x, y = _steps(points)
    corners = [(x[0], y[0])]
    for right, top in zip(x[1:], y[1:], strict=True):
        corners += [(right, corners[-1][1]), (right, top)]
    pairs = pairwise(corners)
    return np.array([_labels.box_around(axes, pair, 0.6) for pair in pairs]).reshape(-1, 4)


def _kinds(points: Sequence[Marker]) -> list[Line2D]:
    """What a filled and an open marker mean, where both are there."""
    if len({point.look.is_filled for point in points}) < 2:
        return []
    look: dict[str, Any] = {"linestyle": "", "marker": "o", "color": _style.ink(), "markersize": MARK}
    return [
        Line2D([], [], label="no model asked", **look),
        Line2D([], [], label="prompt to a model", **look | {"markerfacecolor": _style.paper(), "markeredgewidth": 1.5}),
    ]

"""Accuracy against something that should be small, on a log axis: points, intervals, and the Pareto front."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from harness.report.figures import _style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from harness.analysis.results import RunResult

LABEL_HEIGHT = 0.055  # of the axes: closer than this, two labels would touch
WIDE = 100  # times as dear
CHARACTER = 0.0098  # of the axes' width
GAP = 0.012  # from a point to its name
LIFTS = (0, 1, -1, 2, -2, 3, -3, 4, -4)  # half a label's height each


@dataclass(frozen=True, slots=True)
class Marker:
    """An arm's place: `x` on the axis that should be small, `worst` a second, larger value of it or None."""

    result: RunResult
    x: float
    worst: float | None = None

    @property
    def y(self) -> float:
        """The accuracy."""
        return _style.value_of(self.result.accuracy)


def draw(points: Sequence[Marker], x_label: str, x_printed: Callable[[float], str]) -> Figure:
    """The figure, without title."""
    figure = _style.canvas()
    axes = figure.add_subplot()
    axes.set_xscale("log")
    all_x = [x for point in points for x in (point.x, point.worst) if x]
    axes.set_xlim(min(all_x) / 2.5, max(all_x) * 6)
    axes.set_xlabel(x_label)
    axes.set_ylabel("accuracy")
    _style.grid(axes)
    _style.shares(axes, y=True)
    on_front = front(points)
    axes.step(
        [point.x for point in on_front],
        [point.y for point in on_front],
        where="post",
        color=_style.ink(),
        alpha=0.4,
        linewidth=1.2,
        zorder=1,
    )
    for point in points:
        _draw_point(axes, point)
    if max(all_x) < WIDE * min(all_x):  # one or two powers of ten would be the only numbers on the axis
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: x_printed(float(value))))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _name(axes, points)
    _explain(axes, points)
    return figure


def front(points: Sequence[Marker]) -> list[Marker]:
    """The points that no other beats in both directions, smallest x first."""
    found: list[Marker] = []
    for point in sorted(points, key=lambda point: (point.x, -point.y)):
        if not found or point.y > found[-1].y:
            found.append(point)
    return found


def _draw_point(axes: Axes, point: Marker) -> None:
    kind = int(bool(point.result.run.model))
    below, above = _style.ends(point.result.accuracy)
    color = _style.mark(kind)
    if point.worst:
        axes.plot([point.x, point.worst], [point.y, point.y], color=color, linewidth=1.6, alpha=0.5, zorder=2)
    axes.errorbar(
        [point.x],
        [point.y],
        yerr=[[below], [above]],
        fmt=_style.MARKERS[kind],
        markersize=6.5,
        color=color,
        elinewidth=1.6,
        zorder=3,
    )


@dataclass(frozen=True, slots=True)
class _Box:
    """A part of the axes that something covers, in shares of their width and height."""

    left: float
    right: float
    bottom: float
    top: float

    def meets(self, other: _Box) -> bool:
        """Whether they overlap."""
        beside = self.right <= other.left or other.right <= self.left
        return not beside and self.bottom < other.top and other.bottom < self.top


def _name(axes: Axes, points: Sequence[Marker]) -> None:
    """Names beside the points, on the first side and at the first height where they cover nothing."""
    covered = [box for point in points for box in _marks(axes, point)]
    for point in sorted(points, key=lambda point: -point.y):
        name = _style.name_of(point.result)
        x, height = _place(axes, point.worst or point.x, point.y)
        wide = CHARACTER * len(name)
        tries = [
            (side, _beside(x, y, side, wide))
            for y in (height + lift * LABEL_HEIGHT / 2 for lift in LIFTS)
            for side in (1, -1)
        ]
        free = [one for one in tries if one[1].left > 0 and not any(one[1].meets(box) for box in covered)]
        side, box = (free or tries)[0]
        covered.append(box)
        low, high = axes.get_ylim()
        axes.annotate(
            name,
            (point.worst or point.x, low + (box.bottom + box.top) / 2 * (high - low)),
            xytext=(9 * side, 0),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=9.5,
            path_effects=_style.halo(),
            zorder=4,
        )


def _beside(x: float, y: float, side: int, wide: float) -> _Box:
    """Where a name stands that is right (1) or left (-1) of a point."""
    ends = sorted((x + side * GAP, x + side * (GAP + wide)))
    return _Box(ends[0], ends[1], y - LABEL_HEIGHT / 2, y + LABEL_HEIGHT / 2)


def _place(axes: Axes, x: float, y: float) -> tuple[float, float]:
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    return log(x / left) / log(right / left), (y - low) / (high - low)


def _marks(axes: Axes, point: Marker) -> list[_Box]:
    """What is drawn of a point: its marker, its interval, and the line to its worst."""
    x, y = _place(axes, point.x, point.y)
    below, above = _style.ends(point.result.accuracy)
    bottom, top = (_place(axes, point.x, end)[1] for end in (point.y - below, point.y + above))
    end = _place(axes, point.worst or point.x, point.y)[0]
    half = LABEL_HEIGHT / 4
    return [_Box(x - half / 2, end + half / 2, y - half, y + half), _Box(x - half / 8, x + half / 8, bottom, top)]


def _explain(axes: Axes, points: Sequence[Marker]) -> None:
    """Which marker is what, where both kinds are there."""
    kinds = sorted({int(bool(point.result.run.model)) for point in points})
    if len(kinds) > 1:
        names = ("no model asked", "prompt to a model")
        lines = [Line2D([], [], color=_style.mark(k), marker=_style.MARKERS[k], linestyle="") for k in kinds]
        axes.legend(lines, [names[k] for k in kinds], loc="lower right", fontsize=9)

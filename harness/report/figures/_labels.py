"""Names beside marks: each where it covers no mark, no other name and no edge.

Places are tried from near to far in sixteen directions; a name that finds none goes first the next time. What is
left over after that is the caller's to put into a legend.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.report.figures import _style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Boxes = NDArray[np.float64]  # a row each: left, bottom, right, top, in pixels of the figure

POINTS = 9.5
DISTANCES = (3.0, 7.0, 12.0, 19.0, 28.0, 40.0, 55.0)  # points from the edge of the mark
LEADER = 12.0  # points: from here on a line leads from the name to its mark
DIRECTIONS = np.linspace(0, 2 * np.pi, 16, endpoint=False)
SIDEWAYS = 0.6  # points of distance that a place straight to the side is worth
CROSSED = 15.0  # points of distance that it is worth to keep off a line
ROUNDS = 8
PAD = 1.5  # points around every box
STEPS = np.linspace(0.1, 0.9, 12)[:, None]


@dataclass(frozen=True, slots=True)
class Name:
    """A text, the points (in data) that it may stand beside, and how far its mark reaches around them, in points."""

    text: str
    anchors: tuple[tuple[float, float], ...]
    reach: float
    color: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a name can stand: its box, its anchor, and what speaks against it."""

    box: NDArray[np.float64]
    anchor: int
    cost: float
    has_leader: bool


def place(axes: Axes, names: Sequence[Name], marks: Boxes, lines: Boxes) -> list[int]:
    """Draw the names that find a place; the numbers of those that do not are returned.

    No name touches one of the `marks`; `lines` are kept off where that costs little. The layout must be final.
    """
    solved = _Solver(axes, names, marks, lines).solved()
    for name, found in zip(names, solved, strict=True):
        if found is not None:
            _draw(axes, name, found)
    return [number for number, found in enumerate(solved) if found is None]


def box_around(axes: Axes, points: Sequence[tuple[float, float]], reach: float) -> NDArray[np.float64]:
    """The box, in pixels, of a mark through points of the data that reaches so many points (of 1/72 inch) around."""
    found = axes.transData.transform(np.asarray(points, dtype=float))
    around = reach * axes.figure.dpi / 72
    return np.array([*(found.min(axis=0) - around), *(found.max(axis=0) + around)])


class _Solver:
    """The names of one axes, their candidate places, and what they must not touch."""

    def __init__(self, axes: Axes, names: Sequence[Name], marks: Boxes, lines: Boxes) -> None:
        self._axes = axes
        self._scale = axes.figure.dpi / 72
        self._marks = marks.reshape(-1, 4)
        self._lines = lines.reshape(-1, 4)
        bounds = axes.get_window_extent()
        self._bounds = np.array([bounds.x0, bounds.y0, bounds.x1, bounds.y1])
        self._places = [self._candidates(name) for name in names]

    def solved(self) -> list[_Place | None]:
        """A place for as many names as can be, none touching another."""
        order = sorted(range(len(self._places)), key=lambda i: len(self._places[i]))
        best: list[_Place | None] = [None] * len(order)
        for _ in range(ROUNDS):
            found = self._in_turn(order)
            if _left(found) < _left(best):
                best = found
            if not _left(best):
                break
            order = sorted(order, key=lambda i, found=found: found[i] is not None)  # type: ignore[misc]
        return best

    def _in_turn(self, order: Sequence[int]) -> list[_Place | None]:
        found: list[_Place | None] = [None] * len(order)
        taken = np.empty((0, 4))
        for i in order:
            free = (one for one in self._places[i] if not touching(one.box[None], taken).any())
            found[i] = chosen = next(free, None)
            if chosen is not None:
                taken = np.vstack([taken, chosen.box])
        return found

    def _candidates(self, name: Name) -> list[_Place]:
        """Where the name touches no mark, the best place first."""
        width, height = _size(self._axes, name.text)
        found = []
        for number, point in enumerate(name.anchors):
            x, y = self._axes.transData.transform(point)
            for distance in DISTANCES:
                far = (name.reach + distance) * self._scale
                for angle in DIRECTIONS:
                    middle = x + np.cos(angle) * (far + width / 2), y + np.sin(angle) * (far + height / 2)
                    box = _padded(middle, width, height, PAD * self._scale)
                    found.append(
                        _Place(box, number, distance + SIDEWAYS * abs(float(np.sin(angle))), distance >= LEADER)
                    )
        boxes: Boxes = np.array([one.box for one in found])
        inside = (boxes[:, :2] >= self._bounds[:2]).all(axis=1) & (boxes[:, 2:] <= self._bounds[2:]).all(axis=1)
        free = np.asarray(inside & ~touching(boxes, self._marks).any(axis=1))
        crossed = np.asarray(touching(boxes, self._lines).any(axis=1))
        costs = [one.cost + CROSSED * bool(crossed[i]) for i, one in enumerate(found)]
        ranked = sorted(np.flatnonzero(free).tolist(), key=lambda i: costs[i])
        return [found[i] for i in ranked if not found[i].has_leader or self._leads(name, found[i])]

    def _leads(self, name: Name, found: _Place) -> bool:
        """Whether a straight line leads from the name to its mark without touching another."""
        start = self._axes.transData.transform(name.anchors[found.anchor])
        end = np.clip(start, found.box[:2], found.box[2:])
        steps = start + STEPS * (end - start)
        steps = steps[np.hypot(*(steps - start).T) > (name.reach + PAD) * self._scale]
        own = touching(np.array([[*start, *start]]), self._marks)[0]
        return not touching(np.hstack([steps, steps]), self._marks[~own]).any()


def touching(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """Which of the boxes (rows) touch which of the others (columns)."""
    a, b = boxes[:, None, :], others[None, :, :]
    found = (a[..., :2] <= b[..., 2:]).all(axis=-1) & (b[..., :2] <= a[..., 2:]).all(axis=-1)
    return np.asarray(found)


def _left(found: Sequence[_Place | None]) -> int:
    return sum(one is None for one in found)


def _size(axes: Axes, text: str) -> tuple[float, float]:
    """How wide and high the text is drawn, in pixels."""
    drawn = axes.text(0, 0, text, fontsize=POINTS)
    box = drawn.get_window_extent()
    drawn.remove()
    return box.width, box.height


def _padded(middle: tuple[float, float], width: float, height: float, pad: float) -> NDArray[np.float64]:
    (x, y), half = middle, (width / 2 + pad, height / 2 + pad)
    return np.array([x - half[0], y - half[1], x + half[0], y + half[1]])


def _draw(axes: Axes, name: Name, found: _Place) -> None:
    anchor = name.anchors[found.anchor]
    x, y = axes.transData.transform(anchor)
    middle = (found.box[:2] + found.box[2:]) / 2
    scale = 72 / axes.figure.dpi
    line = {"arrowstyle": "-", "color": _style.ink(), "alpha": 0.5, "linewidth": 0.8, "shrinkA": 0}
    note = axes.annotate(
        name.text,
        anchor,
        xytext=((middle[0] - x) * scale, (middle[1] - y) * scale),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=POINTS,
        color=name.color or _style.ink(),
        path_effects=_style.halo(),
        zorder=6,
        gid="name",
        arrowprops={**line, "shrinkB": name.reach} if found.has_leader else None,
    )
    note.set_in_layout(False)

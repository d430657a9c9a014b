"""A figure finished: title above, provenance below, laid out once, names placed, numbers on axes thinned out."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harness.report.figures import _style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from harness.report.figures._style import Drawing

FOOTER_POINTS = 7.0
FOOTER_COLUMNS = 17.2  # characters an inch
FOOTER_LINES = 4
LINE_INCHES = 0.135
TITLE_POINTS, WHAT_POINTS = 11.5, 9.5
BOLD = 1.15  # times as wide
TITLE_INCHES = 0.42
SUBTITLE_INCHES = 0.2


def finished(drawing: Drawing, title: str, what: str, facts: str) -> Figure:
    """The figure as its frame wants it: `title` and `what` (was scored) above, `facts` below, outside the axes."""
    figure, frame = drawing.figure, _style.FRAME.get()
    for axes in figure.axes:
        axes.set_xlabel("\n".join(textwrap.wrap(axes.get_xlabel(), _letters_below(axes))))
    surround = None if frame.bare else _Surround(figure, title, what, _footer(facts, frame.width))

    def laid_out() -> None:
        rect = (0.0, 0.0, 1.0, 1.0) if surround is None else surround.placed()
        figure.set_layout_engine("constrained", rect=rect)
        if (engine := figure.get_layout_engine()) is not None:
            engine.execute(figure)

    # Laid out here: saving a figure that has a layout engine draws it twice, and does so for each file.
    laid_out()
    if drawing.settle is not None:
        drawing.settle(laid_out)
    for axes in figure.axes:
        _thin_out(axes)
    figure.set_layout_engine(None)
    return figure


class _Surround:
    """Title and provenance around a figure's axes, at their distance from the edges however high it becomes."""

    def __init__(self, figure: Figure, title: str, what: str, lines: list[str]) -> None:
        self._figure = figure
        width, frame = _style.FRAME.get().width, _style.FRAME.get()
        room, side = width - 0.2, 0.096 / width
        title, what = _style.fitted(title, room, TITLE_POINTS), _style.fitted(what, room, WHAT_POINTS)
        together = _style.width_of(title, TITLE_POINTS) * BOLD + _style.width_of(what, WHAT_POINTS)
        is_one_line = together + 0.3 <= room
        self._above = TITLE_INCHES + (0 if is_one_line else SUBTITLE_INCHES)
        self._below = LINE_INCHES * len(lines)
        self._title = figure.text(side, 1, title, fontsize=TITLE_POINTS, fontweight="bold", va="top", gid="title")
        place: dict[str, Any] = {"x": 1 - side, "ha": "right"} if is_one_line else {"x": side, "ha": "left"}
        self._what = figure.text(y=1, s=what, fontsize=WHAT_POINTS, va="top", gid="what", **place)
        self._what_inches = 0.11 + (0 if is_one_line else SUBTITLE_INCHES)
        told = "\n".join(lines)
        self._facts = figure.text(side, 0, told, fontsize=FOOTER_POINTS, va="bottom", linespacing=1.35, alpha=0.8)
        self._facts.set_gid("facts")
        figure.set_figheight(frame.height or float(figure.get_figheight()) + self._below)

    def placed(self) -> tuple[float, float, float, float]:
        """The words put where they belong; what is left of the figure for the axes."""
        height = float(self._figure.get_figheight())
        self._title.set_y(1 - 0.09 / height)
        self._what.set_y(1 - self._what_inches / height)
        self._facts.set_y(0.08 / height)
        below, above = (self._below + 0.14) / height, self._above / height
        return 0.0, below, 1.0, 1.0 - below - above


def _footer(facts: str, width: float) -> list[str]:
    inches = max(_style.width_of(line, FOOTER_POINTS) for line in textwrap.wrap(facts, 200)) / 200
    lines = textwrap.wrap(facts, max(20, int(min(FOOTER_COLUMNS, 1 / inches) * (width - 0.2))))
    if len(lines) <= FOOTER_LINES:
        return lines
    return [*lines[:FOOTER_LINES], "… (all runs: in the file's metadata)"]


def _letters_below(axes: Axes) -> int:
    """How many letters of an axis' name stand below it without reaching into its neighbour's."""
    grid = axes.get_gridspec()
    return _style.letters(_style.FRAME.get().width / (1 if grid is None else grid.ncols) - 0.6, 10)


def _thin_out(axes: Axes) -> None:
    """Hide every other number under the axes until none touches the next; turned words stay as they are."""
    shown = [one for one in axes.get_xticklabels() if one.get_text() and one.get_visible()]
    if any(one.get_rotation() for one in shown):
        return
    while len(shown) > 1 and _touch(shown):
        for one in shown[1::2]:
            one.set_visible(False)
        shown = shown[::2]


def _touch(labels: Sequence[Text]) -> bool:
    boxes = [label.get_window_extent() for label in labels]
    boxes.sort(key=lambda box: box.x0)
    return any(right.x0 - left.x1 < 4 for left, right in pairwise(boxes))

"""The one look of every figure: colours, sizes, words, and the small things that several figures draw.

Colours are taken from Okabe and Ito's set, which colour-blind readers can tell apart; those that are too
pale on paper are darker here. Arms differ by marker as well, so that no figure needs its colours
(`_looks` says which arm has which).
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, NullFormatter

from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from harness.analysis.results import Results, RunResult
    from harness.types import Estimate

Cell = str | float | int | None
WIDTH = 8.0  # inches: 9 points are 11 pixels in a column of 720, and 30 on a slide of 1,920
HEIGHT = 4.6
SERIES = 4  # arms in a figure that draws a line or a panel each
LONGEST_NAME = 30
EM_SHARE = 0.6  # of its size in points: how wide a character is, on the average
LEGEND_POINTS, LEGEND_ROW_INCHES = 9.0, 0.21
AROUND_INCHES = 1.7  # of a figure's height: title, provenance and the numbers under the axes
HANDLE_INCHES = 0.55  # of a legend: a marker and the room around it


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme: paper, ink, and the marks of arms."""

    paper: str
    ink: str
    marks: tuple[str, ...]


LIGHT = Palette(
    "#ffffff", "#3c3b38", ("#0072b2", "#c44e00", "#00795c", "#a4508b", "#7a1c10", "#1d2f8a", "#e0447a", "#5e1450")
)
DARK = Palette(
    "#171614", "#dedad2", ("#56b4e9", "#ee8a4a", "#22b88c", "#e8b4d3", "#f0e060", "#7f7ff0", "#e04050", "#9a6fa0")
)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a figure will stand: its width and height in inches.

    Without a height the figure has the one that suits it. A `bare` one has neither title nor provenance around it.
    """

    width: float = WIDTH
    height: float | None = None
    bare: bool = False


PAGE = Frame()
PHONE = Frame(3.9, bare=True)  # 350 pixels wide, which is what a page leaves of 390, it has letters of 12
FRAME: ContextVar[Frame] = ContextVar("frame", default=PAGE)


@contextmanager
def framed(frame: Frame) -> Iterator[None]:
    """Figures are drawn for that frame."""
    token = FRAME.set(frame)
    try:
        yield
    finally:
        FRAME.reset(token)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure, the table behind it, what it shows in words (`alt`), and how to read it (`caption`).

    `method` names the interval that is drawn; it goes into the provenance. `sql` is one
    line that gives the numbers again from the store (`queries.line`). `title` is the figure's own where
    the section's does not say enough. `settle` places what depends on the finished layout; it is given what lays
    the figure out anew.
    """

    figure: Figure
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    alt: str
    caption: str
    method: str
    sql: str = ""
    title: str = ""
    settle: Callable[[Callable[[], None]], None] | None = None


def settings(palette: Palette) -> dict[Any, Any]:
    """Matplotlib's settings for a theme; a figure is drawn and saved under them."""
    ink: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), palette.ink
    )
    return ink | {
        "svg.hashsalt": "harness",
        "svg.fonttype": "path",
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.facecolor": "none",
        "axes.prop_cycle": cycler(color=palette.marks),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": palette.paper,
        "savefig.facecolor": palette.paper,
        "legend.frameon": False,
        "lines.solid_capstyle": "round",
        "text.parse_math": False,
    }


def canvas(height: float = HEIGHT) -> Figure:
    """An empty figure for the frame; `_frame` adds title and provenance around the axes."""
    frame = FRAME.get()
    return Figure(figsize=(frame.width, frame.height or height), layout="constrained")


def is_narrow() -> bool:
    """Whether the figure stands in a phone's column or one as narrow."""
    return FRAME.get().width < 5


def letters(inches: float, points: float = 9.5) -> int:
    """How many characters of that size fit."""
    return max(4, int(inches * 72 / (EM_SHARE * points)))


def width_of(text: str, points: float) -> float:
    """How wide a line of text is drawn, in inches."""
    return float(text_to_path.get_text_width_height_descent(text, FontProperties(size=points), ismath=False)[0] / 72)


def fitted(text: str, inches: float, points: float) -> str:
    """The text, shortened in its middle until it is no wider than that."""
    while len(text) > 4 and (width := width_of(text, points)) > inches:
        text = said(text, max(4, min(len(text) - 1, int(len(text) * inches / width))))
    return text


def ink() -> str:
    """The colour of text and axes under the theme in force."""
    return str(mpl.rcParams["text.color"])


def paper() -> str:
    """The colour behind everything under the theme in force."""
    return str(mpl.rcParams["figure.facecolor"])


def mark(number: int) -> str:
    """The colour of a series under the theme in force."""
    marks = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    return str(marks[number % len(marks)])


def halo() -> list[withStroke]:
    """An edge of paper around words, so that a line behind them does not cross them out."""
    return [withStroke(linewidth=3, foreground=paper())]


def legend(axes: Axes, handles: Sequence[Artist] | None = None) -> int:
    """A legend above the axes, in as many columns as fit and as high as the figure can spare; its rows."""
    shown = list(axes.get_legend_handles_labels()[0] if handles is None else handles)
    if not shown:
        return 0
    room = FRAME.get().width - 0.8
    for one in shown:
        one.set_label(fitted(str(one.get_label()), max(room / 3, 2.8) - HANDLE_INCHES, LEGEND_POINTS))
    widest = HANDLE_INCHES + max(width_of(str(one.get_label()), LEGEND_POINTS) for one in shown)
    columns = max(1, min(len(shown), int(room / widest)))
    height = FRAME.get().height
    rows = len(shown) if height is None else max(2, int((height - AROUND_INCHES) / 2 / LEGEND_ROW_INCHES))
    if len(shown) > columns * rows:
        more = f"and {len(shown) - columns * rows + 1} more, in the table"
        shown = [*shown[: columns * rows - 1], Line2D([], [], linestyle="", label=more)]
    axes.legend(
        handles=shown,
        loc="lower left",
        bbox_to_anchor=(0, 1.01),
        ncols=columns,
        fontsize=LEGEND_POINTS,
        borderaxespad=0,
        columnspacing=1.4,
        handletextpad=0.5,
    )
    return -(-len(shown) // columns)


def said(text: str, longest: int = LONGEST_NAME) -> str:
    """A name as it can be drawn: printable, on one line, and not longer than that."""
    line = " ".join("".join(char if char.isprintable() else "�" for char in text).split())
    if len(line) <= longest:
        return line
    tail = longest // 3  # names that are long differ at their end: an address, a repeat
    return f"{line[: longest - 1 - tail]}…{line[-tail:]}"


def name_of(result: RunResult) -> str:
    """The arm's name as it is drawn."""
    return said(result.run.name)


def value_of(estimate: Estimate) -> float:
    """The value of an estimate that has one."""
    return float(estimate.value or 0.0)


def ends(estimate: Estimate) -> tuple[float, float]:
    """How far the interval reaches below and above the value."""
    value = value_of(estimate)
    low, high = (value if end is None else end for end in (estimate.low, estimate.high))
    return value - low, high - value


def grid(axes: Axes, axis: str = "y") -> None:
    """Faint lines across."""
    axes.grid(axis=axis, color=ink(), alpha=0.13, linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


def shares(axes: Axes, *, x: bool = False, y: bool = False) -> None:
    """Axes in shares, printed as everywhere else: `.85`."""
    for wanted, axis in ((x, axes.xaxis), (y, axes.yaxis)):
        if wanted:
            axis.set_major_formatter(FuncFormatter(lambda value, _: formatting.share(float(value), 2)))
            axis.set_minor_formatter(NullFormatter())


def scored(results: Results) -> list[RunResult]:
    """The first of the arms whose every answer has a score: best first, no arm twice."""
    shown: dict[str, RunResult] = {}
    for result in results.runs:
        rows = results.answers[result.run.run_id].rows
        answered = rows[rows["outcome"] == "answered"]
        if len(answered) and answered["score"].notna().all() and answered["score"].nunique() > 1:
            shown.setdefault(result.run.arm_name, result)
    return list(shown.values())[:SERIES]


def compared(results: Results) -> list[RunResult]:
    """The chosen arms; else the best, and the best prompt (or, when a prompt is best, the best that is none)."""
    if results.known_arms:
        return list({one.run.arm_name: one for one in reversed(results.runs)}.values())[::-1][:SERIES]
    best = results.runs[0]
    other = [result for result in results.runs if bool(result.run.model) != bool(best.run.model)]
    return [best, *other[:1]]


def listed(results: Sequence[RunResult]) -> str:
    """Names in a sentence."""
    return ", ".join(name_of(result) for result in results)

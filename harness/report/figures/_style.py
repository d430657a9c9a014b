"""The one look of every figure: colours, sizes, words, and the small things that several figures draw.

Colours are taken from Okabe and Ito's set, which colour-blind readers can tell apart; those that are too
pale on paper are darker here. Arms differ by marker as well, so that no figure needs its colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullFormatter

from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from harness.analysis.results import Results, RunResult
    from harness.types import Estimate

Cell = str | float | int | None
WIDTH = 8.0  # inches: 9 points are 11 pixels in a column of 720, and 30 on a slide of 1,920
HEIGHT = 4.6
SERIES = 4  # arms in a figure that draws a line or a panel each
MARKERS = ("o", "D", "s", "^")
DASHES = ("-", "--", "-.", ":")
LONGEST_NAME = 30


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme: paper, ink, and the marks of up to four series."""

    paper: str
    ink: str
    marks: tuple[str, str, str, str]


LIGHT = Palette("#ffffff", "#3c3b38", ("#0072b2", "#c44e00", "#00795c", "#a4508b"))
DARK = Palette("#171614", "#dedad2", ("#56b4e9", "#ee8a4a", "#22b88c", "#e8b4d3"))


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure, the table behind it, what it shows in words (`alt`), and how to read it (`caption`).

    `method` names the interval that is drawn; it goes into the provenance. `sql` is one
    line that gives the numbers again from the store (`queries.line`).
    """

    figure: Figure
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    alt: str
    caption: str
    method: str
    sql: str = ""


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
    """An empty figure of the one width; `drawings` adds title and provenance around the axes."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def ink() -> str:
    """The colour of text and axes under the theme in force."""
    return str(mpl.rcParams["text.color"])


def mark(number: int) -> str:
    """The colour of a series under the theme in force."""
    marks = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    return str(marks[number % len(marks)])


def halo() -> list[withStroke]:
    """An edge of paper around words, so that a line behind them does not cross them out."""
    return [withStroke(linewidth=3, foreground=str(mpl.rcParams["figure.facecolor"]))]


def legend(axes: Axes, place: Literal["lower right", "lower left"] = "lower right") -> None:
    """A legend on paper, where lines may pass behind it."""
    paper = str(mpl.rcParams["figure.facecolor"])
    axes.legend(loc=place, fontsize=9.5, frameon=True, facecolor=paper, edgecolor="none", framealpha=0.85)


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
    """The best arm, and the best prompt (or, when a prompt is best, the best arm that is none)."""
    best = results.runs[0]
    other = [result for result in results.runs if bool(result.run.model) != bool(best.run.model)]
    return [best, *other[:1]]


def listed(results: Sequence[RunResult]) -> str:
    """Names in a sentence."""
    return ", ".join(name_of(result) for result in results)

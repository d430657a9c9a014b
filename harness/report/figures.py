"""Figures, drawn with matplotlib on a bare `Figure`; the same results give the same bytes.

Colours are Okabe and Ito's, which colour-blind readers can tell apart. Text and axes are drawn
in one colour that becomes `currentColor` in SVG, so a figure follows a page into the dark.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from harness import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from harness.analysis import Results, RunResult

INK = "#3c3b38"  # replaced by currentColor in SVG
PROMPT, OTHER = "#D55E00", "#0072B2"
SIZE = (8.0, 4.6)
LABEL_HEIGHT = 0.052  # of the axes: closer than this, two labels would touch
FORMULA_START = ("=", "+", "-", "@", "\t", "\x00")
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "harness",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,
}


def files(results: Results) -> dict[str, bytes]:
    """Every figure as SVG and PNG, and the table behind it as CSV, by file name."""
    priced = [result for result in results.runs if result.cost_per_1000_usd and result.accuracy.value is not None]
    if not priced:
        return {}
    with mpl.rc_context(STYLE):
        figure = _accuracy_cost(results, priced)
        about = _about(results)
        return {
            "accuracy-cost.svg": _svg(figure, about),
            "accuracy-cost.png": _png(figure, about),
            "accuracy-cost.csv": _csv(results),
        }


def _accuracy_cost(results: Results, priced: Sequence[RunResult]) -> Figure:
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_xlabel("list price per 1,000 items")
    axes.set_ylabel("accuracy")
    axes.grid(axis="y", color=INK, alpha=0.13, linewidth=0.8)
    front = _front(priced)
    axes.step(
        [_cost(r) for r in front],
        [_value(r) for r in front],
        where="post",
        color=INK,
        alpha=0.35,
        linewidth=1.2,
        zorder=1,
    )
    for result in priced:
        _point(axes, result)
    costs = [_cost(r) for r in priced]
    axes.set_xlim(min(costs) / 2.5, max(costs) * 6)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"${float(value):.10f}".rstrip("0").rstrip(".")))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: numbers.share(float(value), 2)))
    _label(axes, priced)
    figure.suptitle(
        f"{results.split.dataset}, {results.split.name} split, n = {results.split.n:,}", fontsize=10, x=0.01, ha="left"
    )
    return figure


def _point(axes: Axes, result: RunResult) -> None:
    low, high = result.accuracy.low or 0.0, result.accuracy.high or 0.0
    color = PROMPT if result.run.model else OTHER
    axes.errorbar(
        [_cost(result)],
        [_value(result)],
        yerr=[[_value(result) - low], [high - _value(result)]],
        fmt="D" if result.run.model else "o",
        markersize=6,
        color=color,
        elinewidth=1.6,
        zorder=2,
    )


def _label(axes: Axes, priced: Sequence[RunResult]) -> None:
    """Names beside the points, moved up where two would touch."""
    low, high = axes.get_ylim()
    taken: list[tuple[float, float]] = []
    for result in sorted(priced, key=_value):
        cost, value = _cost(result), _value(result)
        height = (value - low) / (high - low)
        while any(abs(height - h) < LABEL_HEIGHT and 1 / 12 < cost / c < 12 for c, h in taken):
            height += LABEL_HEIGHT / 4
        taken.append((cost, height))
        axes.annotate(
            result.run.arm,
            (cost, low + height * (high - low)),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
        )


def _front(priced: Sequence[RunResult]) -> list[RunResult]:
    """The arms that no other beats in both accuracy and cost, cheapest first."""
    front: list[RunResult] = []
    for result in sorted(priced, key=lambda r: (_cost(r), -_value(r))):
        if not front or _value(result) > _value(front[-1]):
            front.append(result)
    return front


def _cost(result: RunResult) -> float:
    return float(result.cost_per_1000_usd or 0.0)


def _value(result: RunResult) -> float:
    return float(result.accuracy.value or 0.0)


def _about(results: Results) -> str:
    runs = ", ".join(f"{result.run.arm} {result.run.run_id}" for result in results.runs)
    facts = "; ".join(f"{name}: {value}" for name, value in results.provenance.items())
    split = results.split
    return (
        f"dataset {split.dataset} ({split.dataset_id}), split {split.name}, n = {split.n}; "
        f"intervals: {results.runs[0].accuracy.method}, 95%; runs: {runs}; {facts}"
    )


def _svg(figure: Figure, about: str) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Description": about})
    return out.getvalue().replace(INK.encode(), b"currentColor")


def _png(figure: Figure, about: str) -> bytes:
    out = io.BytesIO()
    metadata = {"Software": None, "Description": about}
    figure.savefig(out, format="png", dpi=200, facecolor="white", metadata=metadata)
    return out.getvalue()


def _csv(results: Results) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["arm", "model", "run_id", "n", "accuracy", "low", "high", "cost_per_1000_usd"])
    for result in results.runs:
        estimate = result.accuracy
        named = [plain_cell(text) for text in (result.run.arm, result.run.model or "", result.run.run_id)]
        values = [estimate.n, estimate.value, estimate.low, estimate.high, result.cost_per_1000_usd]
        writer.writerow([*named, *("" if value is None else value for value in values)])
    return out.getvalue().encode("utf-8")


def plain_cell(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula (OWASP ASVS 1.2.10)."""
    return f"'{text}" if text.startswith(FORMULA_START) else text

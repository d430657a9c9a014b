"""What more labels buy: accuracy by number of labels, and from how many on an arm meets the best prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.analysis import curves, wording
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Section, Table, Text
from harness.report.sections import _cells

if TYPE_CHECKING:
    from harness.analysis.curves import Curve, Curves
    from harness.analysis.results import Results
    from harness.datasets.task import Task

TITLE = "Learning curves"
ORDER = 29
POINT_COLUMNS = (
    Column("arm"),
    Column("labels", numeric=True),
    Column("accuracy", numeric=True),
    Column("95%", numeric=True),
    Column("seeds", numeric=True),
)
CROSSING_COLUMNS = (
    Column("arm"),
    Column("has to meet"),
    Column("accuracy of that", numeric=True),
    Column("labels", numeric=True),
    Column("95%", numeric=True),
)


def section(results: Results) -> Section | None:
    """Points and crossovers of the curves that are stored; nothing without any."""
    found = results.curves
    if found is None:
        return None
    said = [
        (curve.arm, "; ".join(curves.sentences(replace(curve, noun=results.split.task.noun)))) for curve in found.drawn
    ]
    blocks: list[Text | Table] = [Text(f"{arm} {words}.") for arm, words in said if words]
    blocks.append(_points(results, found))
    if found.rival is not None:
        blocks.append(_crossings(found, results.split.task))
    return Section(TITLE, tuple(blocks))


def _points(results: Results, found: Curves) -> Table:
    drawn: dict[tuple[str, int], int] = {}
    for fit in found.fits:
        drawn[fit.arm, fit.n_labels] = drawn.get((fit.arm, fit.n_labels), 0) + 1
    rows = tuple(
        (
            curve.arm,
            formatting.count(point.n_labels),
            formatting.share(point.estimate.value),
            formatting.span(point.estimate),
            formatting.count(drawn[curve.arm, point.n_labels]),
        )
        for curve in found.drawn
        for point in curve.points
    )
    n = found.drawn[0].points[0].estimate.n
    caption = (
        f"{wording.of_headline(results.split.task).title} on {formatting.plural(n, 'item')}, the mean over "
        "draws of so many labels (seeds). 95% intervals: "
        "seeds and items (groups whole) resampled together."
    )
    return Table(_cells.worded(POINT_COLUMNS, results.split.task), rows, caption, queries.line(results, "curve_points"))


def _crossings(found: Curves, task: Task) -> Table:
    caption = (
        "The labels with which a curve reaches the best prompt: on a straight line over the logarithm of the labels, "
        "after isotonic regression. The prompt's items are resampled with the curve's. An end of the interval beyond "
        "what was tried is open."
    )
    return Table(_cells.worded(CROSSING_COLUMNS, task), tuple(_crossing(curve) for curve in found.drawn), caption)


def _crossing(curve: Curve) -> tuple[str, ...]:
    crossing, level = curve.crossover, curve.level
    assert crossing is not None  # there is a rival
    assert level is not None
    met = (curve.arm, str(curve.rival), formatting.with_interval(level))
    if crossing.labels is None:
        return *met, "not met", ""
    return *met, f"{crossing.labels:,.0f}", curves.crossed_between(crossing)

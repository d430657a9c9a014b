"""What more labels buy: accuracy by number of labels, and from how many on an arm meets the best prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import curves
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table, Text
from harness.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.curves import Curve, Curves
    from harness.analysis.results import Results

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
    said = [(curve.arm, "; ".join(curves.sentences(curve))) for curve in found.drawn]
    blocks: list[Text | Table] = [Text(f"{arm} {words}.") for arm, words in said if words]
    blocks.append(_points(found))
    if found.rival is not None:
        blocks.append(_crossings(found))
    return Section(TITLE, tuple(blocks))


def _points(found: Curves) -> Table:
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
        f"Accuracy on {formatting.plural(n, 'item')}, the mean over draws of so many labels (seeds). 95% intervals: "
        "seeds and items (groups whole) resampled together."
    )
    return Table(POINT_COLUMNS, rows, caption, _query(found))


def _query(found: Curves) -> Query:
    arms = ", ".join(queries.quoted(curve.arm) for curve in found.drawn)
    return Query(
        "select arm, labels, avg(credit) as accuracy, count(distinct run_id) as seeds from "
        f"{queries.learnt(found)} group by arm, labels order by list_position([{arms}], arm), labels",
        _printed,
    )


def _printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    labels, seeds = (formatting.count(queries.whole(record, name)) for name in ("labels", "seeds"))
    return str(record["arm"]), labels, formatting.share(queries.number(record, "accuracy")), None, seeds


def _crossings(found: Curves) -> Table:
    caption = (
        "The labels with which a curve reaches the best prompt: on a straight line over the logarithm of the labels, "
        "after isotonic regression. The prompt's items are resampled with the curve's. An end of the interval beyond "
        "what was tried is open."
    )
    query = Query(_crossing_sql(found), _crossing_printed)
    return Table(CROSSING_COLUMNS, tuple(_crossing(curve) for curve in found.drawn), caption, query)


def _crossing_sql(found: Curves) -> str:
    """The isotonic regression is the largest, over starts, of the smallest mean, over ends, around each size."""
    arms = ", ".join(queries.quoted(curve.arm) for curve in found.drawn)
    rival = f"select example_id, credit from scored where run_id = {queries.quoted(found.rival_id or '')}"
    return f"""with p as (select arm, labels, avg(credit) as accuracy,
            row_number() over (partition by arm order by labels) as i
            from {queries.learnt(found)} group by arm, labels),
        m as (select a.arm, a.i as low, b.i as high, avg(c.accuracy) as mean from p a
            join p b on b.arm = a.arm and b.i >= a.i
            join p c on c.arm = a.arm and c.i between a.i and b.i group by all),
        f as (select p.arm, p.labels, p.i, m.low, min(m.mean) as mean from p
            join m on m.arm = p.arm and p.i between m.low and m.high group by all),
        r as (select arm, labels, i, max(mean) as accuracy from f group by all),
        v as (select count(*) as n, sum(credit) as right_n from ({rival}) where credit is not null
            and example_id in (select example_id from {queries.learnt(found)})),
        s as (select arm, labels, accuracy, lag(labels) over w as labels_before, lag(accuracy) over w as before
            from r window w as (partition by arm order by i)),
        t as (select arm, right_n, n, min(case when accuracy < right_n / n - 1e-12 then null
            when before is null then labels else exp(ln(labels_before) + (right_n / n - before) / (accuracy - before)
                * (ln(labels) - ln(labels_before))) end) as labels from s, v
            where before is null or before < right_n / n group by all)
        select arm, right_n, n, labels from t order by list_position([{arms}], arm)"""


def _crossing_printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    level = intervals.wilson(queries.whole(record, "right_n"), queries.whole(record, "n"))
    labels = queries.number(record, "labels")
    met = "not met" if labels is None else f"{labels:,.0f}"
    return str(record["arm"]), None, formatting.with_interval(level), met, None


def _crossing(curve: Curve) -> tuple[str, ...]:
    crossing, level = curve.crossover, curve.level
    assert crossing is not None  # there is a rival
    assert level is not None
    met = (curve.arm, str(curve.rival), formatting.with_interval(level))
    if crossing.labels is None:
        return *met, "not met", ""
    return *met, f"{crossing.labels:,.0f}", curves.crossed_between(crossing)

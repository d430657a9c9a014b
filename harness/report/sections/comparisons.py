"""The best arm against every other, item by item: who was right where the other was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import comparison
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.comparison import Comparison
    from harness.analysis.results import Results

ORDER = 24
COUNTED = ("both", "only best", "only other", "neither")
COLUMNS = (
    Column("against"),
    *(Column(title, numeric=True) for title in ("items", *COUNTED)),
    *(Column(title, numeric=True) for title in ("difference", "p, Holm", "MDE")),
)


def section(results: Results) -> Section | None:
    """The comparisons with p corrected for their number; nothing without a second arm."""
    arms = results.by_arm
    best, *others = arms.runs
    if not others:
        return None
    made = comparison.leading(arms.answers[best.run.run_id], [arms.answers[other.run.run_id] for other in others])
    name = best.run.name
    pairs = formatting.plural(len(arms.runs) * len(others) // 2, "pair")
    counted = "" if made[0].table is None else ", in items that both, only one, or neither got right"
    caption = (
        f"{name} against each other arm{counted}; its lead with an interval "
        f"that holds for all pairs of arms at once, 95% together ({made[0].method}); p corrected for all {pairs} "
        "(Holm), because the best was picked after looking. "
        "MDE: the difference that so many items show with 80% power."
    )
    # Of an arm with repeats an item has the mean score, which this query does not take.
    query = _query(results) if arms is results and made[0].table is not None else None
    columns = COLUMNS if made[0].table is not None else tuple(one for one in COLUMNS if one.title not in COUNTED)
    table = Table(columns, tuple(_row(one) for one in made), caption, query)
    return Section(f"{name} against the others", (table,))


def _row(one: Comparison) -> tuple[str, ...]:
    table = one.table
    counts = (one.n,) if table is None else (one.n, table.both, table.only_a, table.only_b, table.neither)
    p_value, mde = formatting.p_value(one.adjusted_p), formatting.share(one.mde) if one.mde else "none shows"
    return one.b, *map(formatting.count, counts), formatting.with_interval(one.lead), p_value, mde


def _query(results: Results) -> Query:
    best, *others = results.runs
    rows, other_rows = queries.scored(results, [best]), queries.scored(results, others)
    return Query(
        f"""select b.run_id as run_id, count(*) as n, count(*) filter (a.correct and b.correct) as both_right,
        count(*) filter (a.correct and not b.correct) as only_a,
        count(*) filter (not a.correct and b.correct) as only_b,
        count(*) filter (not a.correct and not b.correct) as neither,
        avg(a.credit) - avg(b.credit) as difference
        from {rows} a join {other_rows} b using (example_id)
        where a.credit is not null and b.credit is not null
        group by b.run_id order by {queries.in_order(results, others, "b.run_id")}""",
        _printed,
    )


def _printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    names = ("n", "both_right", "only_a", "only_b", "neither")
    return None, *(formatting.count(queries.whole(record, name)) for name in names), None, None, None

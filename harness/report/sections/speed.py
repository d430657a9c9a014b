"""What an item takes on this machine: alone, as a caller waits, and among many, as a nightly job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results, RunResult

ORDER = 48
COLUMNS = (
    Column("arm"),
    Column("fit", numeric=True),
    Column("alone, p50", numeric=True),
    Column("alone, p95", numeric=True),
    Column("in a batch, each", numeric=True),
    Column("$ per 1,000 alone", numeric=True),
    Column("$ per 1,000 in a batch", numeric=True),
)


def section(results: Results) -> Section | None:
    """Times and their price, for the arms that run here; nothing when none was timed in a batch."""
    timed = [result for result in results.runs if result.run.batch_latency_s is not None]
    if not timed:
        return None
    price = results.provenance.get("price of this machine", formatting.UNKNOWN)
    caption = (
        f"Alone: one item at a time. In a batch: the first {timed[0].run.facts.get('batch_n')} items at once. "
        f"Neither uses stored embeddings. This machine costs {price}."
    )
    rows = tuple(_row(result) for result in timed)
    return Section("Speed", (Table(COLUMNS, rows, caption, _query(results, timed)),))


def _row(result: RunResult) -> tuple[str, ...]:
    in_batch = result.run.facts.get("batch_cost_per_1000_usd")
    return (
        result.run.name,
        formatting.duration(result.run.fit_s),
        formatting.duration(result.latency_s["p50"]),
        formatting.duration(result.latency_s["p95"]),
        formatting.duration(result.run.batch_latency_s),
        formatting.dollars(result.cost_per_1000_usd),
        formatting.dollars(None if in_batch is None else float(str(in_batch))),
    )


def _query(results: Results, timed: Sequence[RunResult]) -> Query:
    return Query(
        f"""select {queries.called(results.runs, "s")}, any_value(r.fit_s) as fit_s,
        quantile_cont(s.latency_s, 0.5) as p50_s,
        quantile_cont(s.latency_s, 0.95) as p95_s, any_value(r.batch_latency_s) as batch_s,
        case when count(s.cost_usd) = count(*) then 1000 * avg(s.cost_usd) end as usd_per_1000,
        any_value((r.facts->>'batch_cost_per_1000_usd')::double) as batch_usd_per_1000
        from {queries.scored(results, timed)} s join runs r using (run_id) where s.credit is not null
        group by s.run_id, s.arm order by {queries.in_order(results, timed)}""",
        _printed,
    )


def _printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    return (
        str(record["arm"]),
        *(formatting.duration(queries.number(record, name)) for name in ("fit_s", "p50_s", "p95_s", "batch_s")),
        *(formatting.dollars(queries.number(record, name)) for name in ("usd_per_1000", "batch_usd_per_1000")),
    )

"""What an item takes on this machine: alone, as a caller waits, and among many, as a nightly job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report.blocks import Column, Section, Table

if TYPE_CHECKING:
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
    return Section("Speed", (Table(COLUMNS, rows, caption),))


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

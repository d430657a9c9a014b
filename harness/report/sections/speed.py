"""What an item takes on this machine: alone, as a caller waits, and among many, as a nightly job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import numbers
from harness.report.blocks import Column, Section, Table

if TYPE_CHECKING:
    from harness.analysis import Results, RunResult

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
    price = results.provenance.get("price of this machine", numbers.UNKNOWN)
    caption = (
        f"Alone: one item at a time. In a batch: the first {timed[0].run.facts.get('batch_n')} items at once. "
        f"Neither uses stored embeddings. This machine costs {price}."
    )
    return Section("Speed", (Table(COLUMNS, tuple(_row(result) for result in timed), caption),))


def _row(result: RunResult) -> tuple[str, ...]:
    in_batch = result.run.facts.get("batch_cost_per_1000_usd")
    return (
        result.run.arm,
        numbers.duration(result.run.fit_s),
        numbers.duration(result.latency_s["p50"]),
        numbers.duration(result.latency_s["p95"]),
        numbers.duration(result.run.batch_latency_s),
        numbers.dollars(result.cost_per_1000_usd),
        numbers.dollars(None if in_batch is None else float(str(in_batch))),
    )

"""What runs came to on all their items, where only some of them are looked at: counts, sums, times. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.analysis.summing import QUANTILES, Calls
from harness.store.rows import BUCKETS
from harness.types import Outcome, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.results import RunResult


def of_all_items(result: RunResult, totals: Mapping[str, Any]) -> RunResult:
    """A run's result with outcomes, sums and times of all its items (see `Store.totals`); metrics and `n` stay."""
    cost_usd, replied = totals["cost_usd"], int(totals["n"]) - int(totals[Outcome.FAILED.value])
    latency_s = totals["latency_s"] or [None] * len(QUANTILES)
    tokens = {bucket: totals[bucket] for bucket in BUCKETS}
    return replace(
        result,
        outcomes={one: int(totals[one.value]) for one in Outcome},
        cost_usd=cost_usd,
        billed_usd=totals["billed_usd"],
        cost_per_1000_usd=None if cost_usd is None or not replied else 1000 * cost_usd / replied,
        latency_s=dict(zip(QUANTILES, latency_s, strict=True)),
        latency_n=int(totals["latency_n"]),
        calls=Calls(int(totals["sent"]), int(totals["from_ledger"]), int(totals["retried"])),
        tokens=None
        if all(value is None for value in tokens.values())
        else Usage(**{name: int(value or 0) for name, value in tokens.items()}),
    )

"""How the items came out: answered, abstained, unparsed, refused, failed; calls and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Section, Table
from harness.types import Outcome

if TYPE_CHECKING:
    from harness.analysis.results import Results, RunResult

ORDER = 30
TITLES = ("calls sent", "from the ledger", "retried", "input", "cache read", "cache write", "output", "reasoning")


def section(results: Results) -> Section:
    """Outcomes per arm; and for arms that ask a model, calls and tokens."""
    outcomes = Table(
        (Column("arm"), *(Column(outcome.value, numeric=True) for outcome in Outcome)),
        tuple((r.run.name, *(formatting.count(r.outcomes[outcome]) for outcome in Outcome)) for r in results.runs),
        "Items by outcome. Without an answer an item counts as wrong; failed calls are not scored at all.",
        queries.line(results, "outcomes"),
    )
    asked = [result for result in results.runs if result.tokens is not None]
    return Section("Outcomes", (outcomes, *([_calls(results, asked)] if asked else [])))


def _calls(results: Results, asked: list[RunResult]) -> Table:
    rows = []
    for result in asked:
        tokens, calls = result.tokens, result.calls
        assert tokens is not None
        counts = [calls.sent, calls.cached, calls.retried, tokens.input_fresh, tokens.cache_read, tokens.cache_write]
        counts += [tokens.output_visible, tokens.reasoning]
        rows.append((result.run.name, *map(formatting.count, counts)))
    return Table(
        (Column("arm"), *(Column(title, numeric=True) for title in TITLES)),
        tuple(rows),
        "Calls, and tokens in disjoint buckets.",
        queries.line(results, "outcomes"),
    )

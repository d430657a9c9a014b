"""How the items came out: answered, abstained, unparsed, refused, failed; calls and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table
from harness.store.rows import BUCKETS
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.results import Results, RunResult

ORDER = 30
TITLES = ("calls sent", "from the ledger", "retried", "input", "cache read", "cache write", "output", "reasoning")


def section(results: Results) -> Section:
    """Outcomes per arm; and for arms that ask a model, calls and tokens."""
    outcomes = Table(
        (Column("arm"), *(Column(outcome.value, numeric=True) for outcome in Outcome)),
        tuple((r.run.name, *(formatting.count(r.outcomes[outcome]) for outcome in Outcome)) for r in results.runs),
        "Items by outcome. Without an answer an item counts as wrong; failed calls are not scored at all.",
        _query(results),
    )
    asked = [result for result in results.runs if result.tokens is not None]
    return Section("Outcomes", (outcomes, *([_calls(results, asked)] if asked else [])))


def _query(results: Results) -> Query:
    counts = ", ".join(f"count(*) filter (outcome = '{outcome.value}') as {outcome.value}" for outcome in Outcome)
    return Query(
        f"select run_id, arm, {counts} from {queries.scored(results)} "
        f"group by run_id, arm order by {queries.in_order(results)}",
        _printed,
    )


def _printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    return None, *(formatting.count(queries.whole(record, outcome.value)) for outcome in Outcome)


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
        _calls_query(results, asked),
    )


def _calls_query(results: Results, asked: list[RunResult]) -> Query:
    tokens = ", ".join(f"sum({bucket}) filter (outcome <> 'failed') as {bucket}" for bucket in BUCKETS)
    return Query(
        f"""select {queries.called(results.runs, "a")}, sum(attempts) filter (not cached) as sent,
        count(*) filter (cached) as from_ledger,
        sum(greatest(attempts - 1, 0)) filter (not cached) as retried, {tokens}
        from {queries.scored(results, asked)} a group by a.run_id, a.arm order by {queries.in_order(results, asked)}""",
        _calls_printed,
    )


def _calls_printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    names = ("sent", "from_ledger", "retried", *BUCKETS)
    return str(record["arm"]), *(formatting.count(queries.whole(record, name)) for name in names)

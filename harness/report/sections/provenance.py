"""Where every number comes from, and what the words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.results import Results, RunResult

ORDER = 90
MEANINGS = (
    "Accuracy is the share of items answered with their gold label; an item without an answer counts as wrong. "
    "Its interval is Wilson's, that of macro-F1 a bootstrap over items.",
    "Cost is what the predictions cost at list price; arms that run on this machine cost their computing time at the "
    "price of the machine. Latency is what a caller waits for one item alone, without queueing and retries; "
    "classifiers are timed one item at a time, on up to 200 items.",
)


def section(results: Results) -> Section:
    """Ids, versions, prices and the SQL that gives the scorecard again."""
    split = results.split
    facts = {"dataset": f"{split.dataset} ({split.dataset_id})", "split": split.name, **results.provenance}
    return Section(
        "Provenance",
        (
            Table((Column("what"), Column("value")), tuple(facts.items())),
            Table(
                (Column("arm"), Column("run"), Column("model"), Column("trained on", numeric=True), Column("started")),
                tuple(_row(result) for result in results.runs),
                query=_query(results),
            ),
            *(Text(meaning) for meaning in MEANINGS),
        ),
    )


def _row(result: RunResult) -> tuple[str, ...]:
    run = result.run
    started = "" if run.started_at is None else f"{run.started_at:%Y-%m-%d %H:%M} UTC"
    trained = "" if run.n_train is None else f"{run.n_train:,.0f}"
    return run.name, run.run_id, run.model or "", trained, started


def _query(results: Results) -> Query:
    ids = ", ".join(queries.quoted(result.run.run_id) for result in results.runs)
    return Query(
        f"select {queries.called(results.runs)}, run_id, model, n_train, "
        "strftime(started_at, '%Y-%m-%d %H:%M UTC') as started from runs "
        f"where run_id in ({ids}) order by {queries.in_order(results)}",
        _printed,
    )


def _printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    trained = queries.number(record, "n_train")
    return (
        *(str(record[name]) for name in ("arm", "run_id")),
        str(record["model"] or ""),
        "" if trained is None else f"{trained:,.0f}",
        str(record["started"] or ""),
    )

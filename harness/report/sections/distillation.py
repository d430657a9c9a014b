"""Arms that were taught by another arm: how faithful they are, and how often they are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis.results import fidelity
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table
from harness.report.sections import _cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results, RunResult

ORDER = 47
COLUMNS = (
    Column("arm"),
    Column("taught by"),
    Column("answers learnt from", numeric=True),
    Column("gives the teacher's answer", numeric=True),
    Column("accuracy against gold", numeric=True),
)


def section(results: Results) -> Section | None:
    """Fidelity and accuracy, apart; nothing when no arm was taught."""
    taught = [result for result in results.runs if "teacher" in result.run.params]
    if not taught:
        return None
    caption = (
        "A successor may be faithful and wrong, or right where its teacher is not. Both with their 95% interval "
        "(Wilson); fidelity is unknown until the teacher has been run on these items."
    )
    rows = tuple(_row(results, result) for result in taught)
    return Section("Distillation", (Table(COLUMNS, rows, caption, _query(results, taught)),))


def _row(results: Results, result: RunResult) -> tuple[str, ...]:
    params, faithful = result.run.params, fidelity(results, result)
    model = params.get("teacher_model")
    return (
        result.run.name,
        f"{params.get('teacher_arm')} {model or ''}".strip(),
        formatting.count(int(str(params["taught_n"]))),
        formatting.UNKNOWN if faithful is None else formatting.with_interval(faithful),
        formatting.with_interval(result.accuracy),
    )


def _query(results: Results, taught: Sequence[RunResult]) -> Query:
    return Query(
        f"""select {queries.called(results.runs, "s")},
        any_value((r.params->>'taught_n')::integer) as taught_n, count(*) as n,
        avg(s.credit) as accuracy, {queries.wilson("sum(s.credit)", "count(*)")}
        from {queries.scored(results, taught)} s join runs r using (run_id) where s.credit is not null
        group by s.run_id, s.arm order by {queries.in_order(results, taught)}""",
        _printed,
    )


def _printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    accuracy = formatting.with_interval(_cells.estimate(record, "accuracy"))
    return str(record["arm"]), None, formatting.count(queries.whole(record, "taught_n")), None, accuracy

"""Arms that were taught by another arm: how faithful they are, and how often they are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis.lineage import fidelity
from harness.ground import formatting
from harness.report.blocks import Column, Section, Table
from harness.report.sections import _cells

if TYPE_CHECKING:
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
    return Section("Distillation", (Table(_cells.worded(COLUMNS, results.split.task), rows, caption),))


def _row(results: Results, result: RunResult) -> tuple[str, ...]:
    params, faithful = result.run.params, fidelity(results, result)
    model = params.get("teacher_model")
    return (
        result.run.name,
        f"{params.get('teacher_arm')} {model or ''}".strip(),
        formatting.count(int(str(params["taught_n"]))),
        formatting.UNKNOWN if faithful is None else formatting.with_interval(faithful),
        formatting.with_interval(result.headline),
    )

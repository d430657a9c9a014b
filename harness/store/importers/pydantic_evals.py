"""Reports of pydantic-evals, as `EvaluationReportAdapter.dump_json` writes them.

A case's output is the answer, as JSON where it is an object, and its name, or its input, the item. It was right
when its output equals what was expected, or where that was not asserted, when all its assertions hold.
Of a repeated case the name says which time it was: `name [2/3]`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.store.importers import _reading as reading
from harness.store.matching import Foreign
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EQUALS = "EqualsExpected"
TIME = re.compile(r" \[([0-9]{1,6})/[0-9]{1,6}\]\Z")


def recognises(path: Path) -> bool:
    """JSON whose cases have assertions and a task's duration."""
    start = reading.beginning(path)
    return path.suffix == ".json" and all(key in start for key in ('"cases"', '"assertions"', '"task_duration"'))


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per case; a case whose task raised is a failed one."""
    report = reading.mapping(reading.document(path), str(path))
    for number, case in enumerate(reading.sequence(report.get("cases"), f"{path}: cases"), start=1):
        yield _row(reading.mapping(case, f"{path}: case {number}"), f"{path}: case {number}")
    for number, case in enumerate(reading.sequence(report.get("failures") or [], f"{path}: failures"), start=1):
        where = f"{path}: failure {number}"
        failed = reading.mapping(case, where)
        question = reading.text(failed.get("inputs"))
        said = reading.text(failed.get("error_message"))
        name, repeat = _name(failed, where)
        yield Foreign(where, name, question, None, outcome=Outcome.FAILED, error=said, repeat=repeat)


def _row(case: dict[str, object], where: str) -> Foreign:
    assertions = case.get("assertions")
    named = assertions if isinstance(assertions, dict) else {}
    judging = [named[EQUALS]] if EQUALS in named else list(named.values())
    held = [reading.part(one, "value") for one in judging]
    inputs = case.get("inputs")
    name, repeat = _name(case, where)
    return Foreign(
        where,
        name,
        reading.text(inputs),
        reading.said(case.get("output")),
        cost_usd=reading.amount(reading.part(case, "metrics", "cost")),
        latency_s=reading.amount(case.get("task_duration")),
        was_right=all(value is True for value in held) if held else None,
        other_texts=reading.texts(inputs),
        repeat=repeat,
    )


def _name(case: dict[str, object], where: str) -> tuple[str | None, int]:
    """The name of the case, and how often it had been asked before."""
    name, source = reading.text(case.get("name")), reading.text(case.get("source_case_name"))
    if source is None:
        return name, 0
    counted = TIME.search(name or "")
    return source, reading.repeat(int(counted[1]), where, first=1) if counted else 0

"""The most confidently wrong answers of the best arm and of the best prompt."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from harness import numbers
from harness.report.blocks import Column, Section, Table

if TYPE_CHECKING:
    from harness.analysis import Results, RunResult

ORDER = 60
SHOWN = 15
LONGEST_TEXT = 140
COLUMNS = (Column("text"), Column("gold"), Column("answer"), Column("score", numeric=True), Column("reply"))


def section(results: Results) -> Section | None:
    """Wrong answers, the surest first; nothing when there are none."""
    prompts = [result for result in results.runs if result.run.model]
    chosen = [results.runs[0], *(result for result in prompts[:1] if result is not results.runs[0])]
    tables = [table for result in chosen if (table := _table(results, result)) is not None]
    return Section("Mistakes", tuple(tables)) if tables else None


def _table(results: Results, result: RunResult) -> Table | None:
    rows = results.predictions[results.predictions["run_id"] == result.run.run_id]
    wrong = rows[rows["correct"].eq(False)]
    if wrong.empty:
        return None
    surest = wrong.sort_values(["score", "example_id"], ascending=[False, True], na_position="last").head(SHOWN)
    cells = tuple(_row(row) for row in surest.to_dict("records"))
    return Table(COLUMNS, cells, f"{result.run.arm}: {len(cells)} of {numbers.plural(len(wrong), 'wrong answer')}.")


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    tags = [] if _is_null(row["tags"]) else [str(tag) for tag in row["tags"]]
    said = str(row["text"]) + (f" [{', '.join(tags)}]" if tags else "")
    known = {key: "" if _is_null(row[key]) else str(row[key]) for key in ("gold", "label", "raw", "outcome")}
    score = row["score"]
    return (
        _short(said),
        known["gold"],
        known["label"] or f"({known['outcome']})",
        "" if _is_null(score) else numbers.share(float(score)),
        _short(known["raw"]) if known["raw"].strip() != known["label"] else "",
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))

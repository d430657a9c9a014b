"""The most confidently wrong answers of the best arm and of the best prompt; the dearest and the slowest items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.datasets import replies
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Section, Table
from harness.report.sections import _cells
from harness.store.statements import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.analysis.results import Results, RunResult

ORDER = 60
SHOWN = 15
EXTREMES = 8
COLUMNS = (Column("text"), Column("gold"), Column("answer"), Column("score", numeric=True), Column("reply"))


def section(results: Results) -> Section | None:
    """Wrong answers, the surest first, and what cost or took most; nothing when there is none of it."""
    prompts = [result for result in results.runs if result.run.model]
    chosen = [results.runs[0], *(result for result in prompts[:1] if result is not results.runs[0])]
    tables = [_wrong(results, result) for result in chosen]
    said = _cells.texts(results)
    for result in chosen[-1:] if said else ():
        tables += [
            _extremes(results, result, said, "cost_usd", "dearest", formatting.dollars),
            _extremes(results, result, said, "latency_s", "slowest", formatting.duration),
        ]
    found = tuple(table for table in tables if table is not None)
    return Section("Mistakes, and what cost most", found) if found else None


def _wrong(results: Results, result: RunResult) -> Table | None:
    rows = results.answers[result.run.run_id].rows
    wrong = rows[rows["credit"] < 1]
    if wrong.empty:
        return None
    surest = wrong.sort_values(["score", "example_id"], ascending=[False, True], na_position="last").head(SHOWN)
    cells = tuple(_row(row) for row in surest.to_dict("records"))
    what = f"{result.run.name}: {len(cells)} of {formatting.plural(len(wrong), 'wrong answer')}, the surest first."
    rest = f"where name = {literal(result.run.name)} and credit < 1 order by score desc"
    return Table(COLUMNS, cells, what, queries.line(results, "answers", rest))


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    known = {
        key: "" if formatting.is_missing(row[key]) else str(row[key]) for key in ("gold", "label", "raw", "outcome")
    }
    score = row["score"]
    return (
        _cells.short(_cells.with_tags(row["text"], row["tags"])),
        known["gold"],
        known["label"] or f"({known['outcome']})",
        "" if formatting.is_missing(score) else formatting.share(float(score)),
        _cells.short(_said(known["raw"])) if known["raw"].strip() != known["label"] else "",
    )


def _said(reply: str) -> str:
    """A reply, or what a JSON answer says beside its label: a prompt's own fields."""
    fields = replies.beside_label(reply)
    return "; ".join(f"{name}: {value}" for name, value in fields.items()) or reply


def _extremes(
    results: Results,
    result: RunResult,
    said: dict[str, str],
    column: str,
    what: str,
    printed: Callable[[float | None], str],
) -> Table | None:
    """The items with the largest value of a column; nothing when all values are the same."""
    rows = results.answers[result.run.run_id].rows.dropna(subset=[column])
    if rows[column].nunique() < 2:
        return None
    largest = rows.sort_values([column, "example_id"], ascending=[False, True]).head(EXTREMES)
    cells = tuple(
        (_cells.short(said.get(str(row["example_id"]), "")), printed(float(row[column])), _answer(row))
        for row in largest.to_dict("records")
    )
    title = "cost" if column == "cost_usd" else "latency"
    middle = printed(float(rows[column].median()))
    return Table(
        (Column("text"), Column(title, numeric=True), Column("answer")),
        cells,
        f"{result.run.name}: the {what} items; the median is {middle}.",
        queries.line(results, "answers", f"where name = {literal(result.run.name)} order by {column} desc"),
    )


def _answer(row: Mapping[str, Any]) -> str:
    return f"({row['outcome']})" if formatting.is_missing(row["label"]) else str(row["label"])

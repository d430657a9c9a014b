"""Which labels are hard: recall per label, the best arms side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table
from harness.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results, RunResult

ORDER = 40
KINDS = ("single",)
ARMS_SHOWN = 4
LABELS_SHOWN = 40


def section(results: Results) -> Section | None:
    """Recall per label with its interval, hardest first for the best arm."""
    scored = results.predictions.dropna(subset=["credit"])
    by_run = scored.groupby(["run_id", "gold"])["credit"]
    sums = by_run.agg(["sum", "count"])
    counted = set(sums.index.get_level_values(0))
    shown = [result for result in results.runs[:ARMS_SHOWN] if result.run.run_id in counted]
    counts = {result.run.run_id: sums.loc[result.run.run_id] for result in shown}
    if not shown:
        return None
    best = counts[shown[0].run.run_id]
    hardest_first = sorted(best.index, key=lambda label: (best["sum"][label] / best["count"][label], label))
    rows = []
    for label in hardest_first[:LABELS_SHOWN]:
        cells = []
        for result in shown:
            of_arm = counts[result.run.run_id]
            right, n = (int(of_arm[c].get(label, 0)) for c in ("sum", "count"))
            cells.append(formatting.with_interval(intervals.wilson(right, n, name="recall")))
        rows.append((str(label), formatting.count(int(best["count"][label])), *cells))
    left_out = len(hardest_first) - len(rows)
    caption = "Recall with its 95% interval (Wilson), hardest label first."
    if left_out:
        caption += f" {formatting.plural(left_out, 'easier label')} left out."
    columns = (
        Column("label"),
        Column("items", numeric=True),
        *(Column(r.run.name, numeric=True) for r in shown),
    )
    return Section("Labels", (Table(columns, tuple(rows), caption, _query(results, shown)),))


def _query(results: Results, shown: Sequence[RunResult]) -> Query:
    """Right answers and items per label and arm: `right_0` and `n_0` are the first arm's."""
    ids = [result.run.run_id.replace("'", "''") for result in shown]
    counts = ", ".join(
        f"count(*) filter (credit = 1 and run_id = '{one}') as right_{i}, count(*) filter (run_id = '{one}') as n_{i}"
        for i, one in enumerate(ids)
    )
    return Query(
        f"select gold, {counts} from {queries.scored(results, shown)} where credit is not null "
        f"group by gold having n_0 > 0 order by right_0 / n_0, gold limit {LABELS_SHOWN}",
        lambda record: _printed(record, len(ids)),
    )


def _printed(record: Mapping[str, object], arms: int) -> tuple[str | None, ...]:
    counts = [(queries.whole(record, f"right_{i}"), queries.whole(record, f"n_{i}")) for i in range(arms)]
    recalls = (formatting.with_interval(intervals.wilson(right, n, name="recall")) for right, n in counts)
    return str(record["gold"]), formatting.count(counts[0][1]), *recalls

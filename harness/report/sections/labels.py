"""Which labels are hard: recall per label, the best arms side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import panel
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Section, Table

if TYPE_CHECKING:
    from harness.analysis.results import Results

ORDER = 40
NEEDS = ("classes",)
ARMS_SHOWN = 4
LABELS_SHOWN = 40


def section(results: Results) -> Section | None:
    """Recall per label with its interval, hardest first for the best arm."""
    scored = results.predictions.dropna(subset=["credit"])
    by_run = scored.groupby(["run_id", "gold"])
    sums = by_run["credit"].agg(["sum", "count"])
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
            mine = by_run.get_group((result.run.run_id, label)) if label in of_arm.index else scored.iloc[:0]
            cells.append(formatting.with_interval(panel.share(mine, "recall")))
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
    return Section("Labels", (Table(columns, tuple(rows), caption, queries.line(results, "per_label")),))

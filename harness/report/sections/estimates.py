"""What every arm is worth by few gold labels and the predictions on all items, beside gold alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report.blocks import Column, Section, Table, Text
from harness.report.sections import _cells

if TYPE_CHECKING:
    from harness.analysis.estimation import ArmWorth, Estimation
    from harness.analysis.results import Results, RunResult

ORDER = 11
FEW_LABELS = True
COLUMNS = (
    Column("arm"),
    *(Column(title, numeric=True) for title in ("accuracy", "95%", "gold alone", "labels saved", "macro-F1")),
    *(Column(title, numeric=True) for title in ("$ per 1,000", "p50", "p95", "p99")),
)


def section(results: Results) -> Section | None:
    """The estimates, best arm first; None where gold alone is what the report is of."""
    estimation = results.estimation
    if estimation is None:
        return None
    worth = {arm.name: arm for arm in estimation.arms()}
    rows = tuple(_row(result, worth[result.run.name]) for result in results.runs)
    passed_over = [Text(f"{one.name} is not shown: {one.reason}.", "warning") for one in results.passed_over]
    columns = _cells.worded(COLUMNS, results.split.task)
    head = Text(f"{results.split.dataset} / {results.split.name}: {_rests_on(estimation)}")
    return Section("Estimates from few labels", (head, Table(tuple(columns), rows), *passed_over))


def _rests_on(estimation: Estimation) -> str:
    return (
        f"{formatting.plural(estimation.n, 'gold label')} of {formatting.plural(estimation.n_all, 'item')}, and every "
        "arm's predictions on all of them. What the arms answer alike guesses the labels that are missing, and the "
        "labels that are there say how far the guesses are off. Gold alone is the interval of the labels by "
        "themselves; labels saved is how many more of them it would have taken."
    )


def _row(result: RunResult, worth: ArmWorth) -> tuple[str, ...]:
    accuracy, latency_s = worth.accuracy, result.latency_s
    macro = result.metrics.get("macro_f1")
    return (
        result.run.name,
        formatting.share(accuracy.estimate.value),
        formatting.span(accuracy.estimate),
        formatting.span(accuracy.gold_alone),
        formatting.count(accuracy.labels_saved),
        "" if macro is None else formatting.share(macro.value),
        formatting.dollars(result.cost_per_1000_usd),
        *(formatting.duration(latency_s[name]) for name in ("p50", "p95", "p99")),
    )

"""Whether the arms' confidences can be believed, and how accurate the most confident answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis.summing import confidence
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Section, Table, Text
from harness.stats import calibration

if TYPE_CHECKING:
    from harness.analysis.results import Results, RunResult
    from harness.types import Confidence, Estimate

ORDER = 45
NEEDS = ("classes",)
SHARES = (0.5, 0.7, 0.8, 0.9, 1.0)
CONFIDENCE_COLUMNS = (
    Column("arm"),
    Column("with a score", numeric=True),
    Column("mean confidence", numeric=True),
    Column("accuracy", numeric=True),
    Column("ECE", numeric=True),
    Column("Brier", numeric=True),
    Column("AURC", numeric=True),
    Column("best AURC", numeric=True),
)
SET_COLUMNS = (
    Column("arm"),
    Column("a label enters from", numeric=True),
    Column("labels in a set", numeric=True),
    Column("sets with the gold label", numeric=True),
    Column("items that chose", numeric=True),
)
COVERAGE_COLUMNS = (Column("arm"), *(Column(f"{share:.0%} surest", numeric=True) for share in SHARES))


def section(results: Results) -> Section | None:
    """Calibration and accuracy at chosen coverages, for the arms that give scores; nothing when none does."""
    shown = [result for result in results.runs if "ece" in result.metrics and result.metrics["ece"].n]
    if not shown:
        return None
    sure = {result.run.run_id: _confidence(results, result) for result in shown}
    measured = tuple(_measured(result, sure[result.run.run_id]) for result in shown)
    covered = tuple(_covered(result, sure[result.run.run_id]) for result in shown)
    return Section(
        "Calibration",
        (
            Text(
                "Of answers given with a confidence of .8, eight in ten should be right. ECE is the mean gap; "
                "Brier and AURC also ask whether wrong answers are the unsure ones; for all three, lower is better."
            ),
            Table(
                CONFIDENCE_COLUMNS,
                measured,
                "Answers that carry a score. ECE: 15 bins of equal width, biased upwards where items are few. "
                "Best AURC: the same answers, had every wrong one been less sure than every right one. "
                "95% intervals: bootstrap over items, or over whole groups where items have them.",
                queries.line(results, "calibration_bins"),
            ),
            Table(
                COVERAGE_COLUMNS,
                covered,
                "Accuracy, with its 95% interval (Wilson), when only the surest answers are used. Equal confidences "
                "stay together: where that makes the share another one, it stands in front.",
            ),
            *_sets(results, shown),
        ),
    )


def _sets(results: Results, shown: list[RunResult]) -> tuple[Table, ...]:
    """Sets that hold the gold label nine times in ten; nothing without a run on dev that could choose."""
    rows = tuple(
        (
            result.run.name,
            formatting.share(found.threshold),
            formatting.with_interval(found.size),
            formatting.with_interval(found.coverage),
            formatting.count(found.chosen_n),
        )
        for result in shown
        if (found := results.sets.get(result.run.run_id)) is not None
    )
    note = (
        "Every label whose score reaches a threshold, instead of the best one alone: split conformal prediction "
        "(Sadinle, Lei and Wasserman 2019). The threshold is chosen on dev, so that nine sets in ten hold the gold "
        "label of items like those; here is what came of it. An item without an answer has an empty set; from 0 on, "
        "every label enters."
    )
    return (Table(SET_COLUMNS, rows, note),) if rows else ()


def _confidence(results: Results, result: RunResult) -> Confidence:
    rows = results.predictions[results.predictions["run_id"] == result.run.run_id]
    return confidence(rows[rows["outcome"] == "answered"], len(results.split.labels))


def _measured(result: RunResult, sure: Confidence) -> tuple[str, ...]:
    return (
        result.run.name,
        formatting.count(len(sure.score)),
        formatting.share(float(sure.score.mean())),
        formatting.share(float(sure.right.mean())),
        *(formatting.with_interval(result.metrics[name]) for name in ("ece", "brier", "aurc")),
        formatting.share(calibration.best_aurc(sure.right)),
    )


def _covered(result: RunResult, sure: Confidence) -> tuple[str, ...]:
    cells = []
    for share, found in zip(
        SHARES, calibration.accuracy_coverage(sure.score, sure.right, SHARES, sure.groups), strict=True
    ):
        cells.append(_cell(share, found.share, found.accuracy))
    return (result.run.name, *cells)


def _cell(wanted: float, share: float, accuracy: Estimate) -> str:
    return (f"{share:.0%}: " if share - wanted > 0.005 else "") + formatting.with_interval(accuracy)

"""Whether the arms' confidences can be believed, and how accurate the most confident answers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis.results import confidence
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table, Text
from harness.stats import calibration, intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results, RunResult
    from harness.types import Confidence, Estimate

ORDER = 45
KINDS = ("single",)
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
                "95% intervals: bootstrap over items.",
                _confidence_query(results, shown),
            ),
            Table(
                COVERAGE_COLUMNS,
                covered,
                "Accuracy, with its 95% interval (Wilson), when only the surest answers are used. Equal confidences "
                "stay together: where that makes the share another one, it stands in front.",
                _coverage_query(results, shown),
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
    for share, found in zip(SHARES, calibration.accuracy_coverage(sure.score, sure.right, SHARES), strict=True):
        cells.append(_cell(share, found.share, found.accuracy))
    return (result.run.name, *cells)


def _cell(wanted: float, share: float, accuracy: Estimate) -> str:
    return (f"{share:.0%}: " if share - wanted > 0.005 else "") + formatting.with_interval(accuracy)


def _sure(results: Results, shown: Sequence[RunResult]) -> str:
    """The answers that carry a score: how sure they were, whether they were right, and what they said of all labels."""
    return (
        "select run_id, arm, gold, score, credit as hit, cast(scores as map(varchar, double)) as known "
        f"from {queries.scored(results, shown)} where outcome = 'answered' and label is not null and score is not null"
    )


def _confidence_query(results: Results, shown: Sequence[RunResult]) -> Query:
    """Labels without a score share what is missing to 1; equal confidences share their errors."""
    bins = calibration.BINS
    return Query(
        f"""with s as ({_sure(results, shown)}),
        k as (select *, list_sum(map_values(known)) as total,
            {len(results.split.labels)} - cardinality(known) as unnamed,
            list_sum(list_transform(map_values(known), lambda x: x * x)) as squares,
            avg(1 - hit) over (partition by run_id, score) as risk from s),
        e as (select *, case when unnamed > 0 then greatest(1 - total, 0) / unnamed else 0 end as each from k),
        o as (select *, squares + unnamed * each * each - 2 * coalesce(known[gold], each) + 1 as squared,
            sum(risk) over (surest rows unbounded preceding) / row_number() over surest as risk_so_far,
            sum(1 - hit) over (best rows unbounded preceding) / row_number() over best as best_so_far,
            greatest(least(ceil(score * {bins}) - 1, {bins - 1}), 0) as bin from e
            window surest as (partition by run_id order by score desc, hit),
            best as (partition by run_id order by hit desc)),
        b as (select run_id, sum(gap) as gaps from
            (select run_id, abs(sum(score - hit)) as gap from o group by run_id, bin) group by run_id)
        select {queries.called(results.runs, "o")}, count(*) as n,
        avg(score) as confidence, avg(hit) as accuracy, any_value(gaps) / count(*) as ece,
        avg(squared) as brier, avg(risk_so_far) as aurc, avg(best_so_far) as best_aurc
        from o join b using (run_id) group by run_id, o.arm order by {queries.in_order(results, shown)}""",
        _confidence_printed,
    )


def _confidence_printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    names = ("confidence", "accuracy", "ece", "brier", "aurc", "best_aurc")
    shares = (formatting.share(queries.number(record, name)) for name in names)
    return str(record["arm"]), formatting.count(queries.whole(record, "n")), *shares


def _coverage_query(results: Results, shown: Sequence[RunResult]) -> Query:
    counts = ", ".join(
        f"count(*) filter (score >= t{i}) as n{i}, sum(hit) filter (score >= t{i}) as right{i}"
        for i in range(len(SHARES))
    )
    thresholds = ", ".join(
        f"scores[greatest(round_even({share} * len(scores), 0), 1)::int] as t{i}" for i, share in enumerate(SHARES)
    )
    return Query(
        f"""with s as ({_sure(results, shown)}),
        t as (select run_id, {thresholds} from
            (select run_id, list_reverse_sort(list(score)) as scores from s group by run_id))
        select {queries.called(results.runs, "s")}, {counts} from s join t using (run_id) group by s.run_id, s.arm
        order by {queries.in_order(results, shown)}""",
        _coverage_printed,
    )


def _coverage_printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    kept = [(queries.whole(record, f"right{i}"), queries.whole(record, f"n{i}")) for i in range(len(SHARES))]
    cells = [
        _cell(share, n / kept[-1][1], intervals.wilson(right, n))
        for share, (right, n) in zip(SHARES, kept, strict=True)
    ]
    return str(record["arm"]), *cells

"""Which arm should serve the task, how sure that is, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import decision
from harness.analysis.decision import ownership
from harness.ground import formatting
from harness.report import queries
from harness.report.blocks import Column, Query, Section, Table, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.results import Results, RunResult
    from harness.ground.constraints import Constraints
    from harness.report.blocks import Block

ORDER = 5
PARTS = ("running", "machines", "labels", "training", "work", "a month")


def section(results: Results) -> Section | None:
    """The verdict under the workspace's constraints; nothing when there is nothing to choose from."""
    if len(results.runs) < 2:
        return None
    results = results.by_arm
    found = decision.decide(results, results.constraints)
    reasons = [Text(f"{reason}.") for reason in found.reasons]
    changes = [Text(f"What would change it: {change}.", "quiet") for change in found.what_would_change_it]
    blocks: list[Block] = [Text(found.headline, "verdict"), *reasons, *_bills(found, results), *changes]
    following = decision.next_command(found.recommendation, results.split)
    if following is not None:
        blocks.append(Text(f"Next: {following}"))
    return Section("Verdict", tuple(blocks))


def _bills(found: decision.Decision, results: Results) -> list[Table]:
    """What a month costs, part by part, where there is more to it than running."""
    billed = [(one, one.bill) for one in found.candidates if one.bill is not None]
    if not any(bill.hosting or bill.labels or bill.work for _, bill in billed):
        return []
    asked = results.constraints
    titles = ("arm", *PARTS)
    rows = tuple(
        (
            one.arm,
            *map(formatting.dollars, (bill.serving, bill.hosting, bill.labels, bill.training, bill.work, bill.total)),
        )
        for one, bill in sorted(billed, key=lambda pair: pair[1].total)
    )
    caption = f"{asked.monthly_volume:,} items a month; what comes once is spread over {asked.months} months."
    priced = {one.run_id for one, _ in billed}
    query = _query(results, [one for one in results.runs if one.run.run_id in priced])
    return [Table(tuple(Column(title, numeric=title != "arm") for title in titles), rows, caption, query)]


def _query(results: Results, runs: list[RunResult]) -> Query:
    """The bills from the costs of items and the facts of runs; prices and traffic stand in it as they were asked."""
    asked, cpu_usd, month = results.constraints, results.cpu_usd_per_hour, ownership.HOURS_A_MONTH
    given = ", ".join(f"({queries.quoted(one.run.run_id)}, {', '.join(map(str, _given(one, asked)))})" for one in runs)
    filled = f"ceil(per_item / {cpu_usd} * {asked.monthly_volume} / {month})" if cpu_usd else "0"
    labels = f"{asked.retrainings * asked.labels_per_retraining}) * {asked.usd_per_label} / {asked.months}"
    return Query(
        f"""with given(run_id, factor, is_own, work) as (values {given}),
        p as (select run_id, avg(cost_usd) as per_item from {queries.scored(results, runs)} where outcome <> 'failed'
        group by run_id),
        b as (select {queries.called(results.runs)}, per_item * factor * {asked.monthly_volume} as running,
        is_own * greatest({int(cpu_usd > 0)}, {filled}) * {month * cpu_usd} as machines,
        if(n_train > 0, (n_train + {labels}, 0) as labels,
        coalesce(fit_s, 0) / 3600 * {cpu_usd} * {1 + asked.retrainings} / {asked.months} as training, work
        from given join p using (run_id) join runs using (run_id))
        select *, running + machines + labels + training + work as "a month" from b order by "a month" """,
        _printed,
    )


def _given(result: RunResult, asked: Constraints) -> tuple[float, int, float]:
    """What the store does not know of an arm: the factor on an item's cost, has it machines of its own, its work."""
    here = ownership.is_here(result.run.arm, result.run.model)
    is_own = here and asked.hosting == "own"
    factor = 0.0 if is_own else ownership.BATCH_FACTOR if asked.batch and not here else 1.0
    return factor, int(is_own), ownership.hours(asked, result.run) * asked.usd_per_hour_of_work / asked.months


def _printed(record: Mapping[str, object]) -> tuple[str | None, ...]:
    return str(record["arm"]), *(formatting.dollars(queries.number(record, part)) for part in PARTS)

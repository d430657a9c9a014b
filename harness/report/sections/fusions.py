"""What fusing arms has brought: each stored fusion beside its members, on the same items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import comparison, lineage
from harness.ground import formatting
from harness.report.blocks import Column, Section, Table, Text
from harness.report.sections import _cells

if TYPE_CHECKING:
    from harness.analysis.results import Results, RunResult

ORDER = 27
COLUMNS = (
    Column("member"),
    Column("its answer stands"),
    Column("accuracy alone", numeric=True),
    Column("$ per 1,000", numeric=True),
    Column("fusion minus member", numeric=True),
    Column("p", numeric=True),
)


def section(results: Results) -> Section | None:
    """A table for every fusion whose members are shown too; nothing where no fusion is stored."""
    blocks: list[Text | Table] = []
    for result in results.runs:
        members, thresholds = lineage.members(results, result), lineage.choice(result.run).get("thresholds", ())
        if members:
            blocks += [_head(result, members), _table(results, result, members, list(thresholds))]
    return Section("Fusions", tuple(blocks)) if blocks else None


def _head(result: RunResult, members: list[RunResult]) -> Text:
    best = max(members, key=lambda member: member.headline.value or 0.0)
    return Text(
        f"{result.run.name}: {formatting.with_interval(result.headline)} at "
        f"{formatting.dollars(result.cost_per_1000_usd)} per 1,000; its best member, {best.run.name}, alone "
        f"{formatting.share(best.headline.value)} at "
        f"{formatting.dollars(best.cost_per_1000_usd)}."
    )


def _table(results: Results, result: RunResult, members: list[RunResult], thresholds: list[float | None]) -> Table:
    made = comparison.against(
        results.answers[result.run.run_id], [results.answers[member.run.run_id] for member in members]
    )
    is_routed = result.run.arm.startswith("router:")
    stands = [_stands(threshold, is_routed=is_routed) for threshold in thresholds]
    kept = [*stands, "for the rest" if is_routed else "always"] if thresholds else ["votes"] * len(members)
    rows = tuple(
        (
            member.run.name,
            keeps,
            formatting.share(member.headline.value),
            formatting.dollars(member.cost_per_1000_usd),
            formatting.with_interval(one.difference),
            formatting.p_value(one.adjusted_p),
        )
        for member, keeps, one in zip(members, kept, made, strict=True)
    )
    said = "Chosen on another split than this one. p-values are Holm's, over the members."
    return Table(_cells.worded(COLUMNS, results.split.task), rows, said)


def _stands(threshold: float | None, *, is_routed: bool) -> str:
    if threshold is None:
        return "never"
    return f"from {formatting.share(threshold)}" + (" foreseen" if is_routed else "")

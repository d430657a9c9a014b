"""Which arm should serve the task, how sure that is, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import decision
from harness.ground import formatting
from harness.report.blocks import Column, Section, Table, Text

if TYPE_CHECKING:
    from harness.analysis.results import Results
    from harness.report.blocks import Block

ORDER = 5
FEW_LABELS = True
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
    return [Table(tuple(Column(title, numeric=title != "arm") for title in titles), rows, caption)]

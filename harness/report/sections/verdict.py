"""Which arm should serve the task, how sure that is, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import decision
from harness.report.blocks import Section, Text

if TYPE_CHECKING:
    from harness.analysis import Results

ORDER = 5


def section(results: Results) -> Section | None:
    """The verdict under the workspace's constraints; nothing when there is nothing to choose from."""
    if len(results.runs) < 2:
        return None
    found = decision.decide(results, results.constraints)
    reasons = [Text(f"{reason}.") for reason in found.reasons]
    changes = [Text(f"What would change it: {change}.", "quiet") for change in found.what_would_change_it]
    return Section("Verdict", (Text(headline(found), "verdict"), *reasons, *changes))


def headline(found: decision.Decision) -> str:
    """The verdict in one sentence."""
    if found.recommendation is None:
        return "No arm keeps every constraint."
    if found.verdict == "decided":
        return f"Serve {found.recommendation}."
    more = f" About {found.more_items:,} more labelled items would probably decide it." if found.more_items else ""
    return f"Cannot tell yet; for now, {found.recommendation}.{more}"

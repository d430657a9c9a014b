"""Accuracy against cost: what each further point of accuracy is paid with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import numbers
from harness.report.blocks import Figure, Section

if TYPE_CHECKING:
    from harness.analysis import Results

ORDER = 20


def section(results: Results) -> Section | None:
    """The figure, with its points in words; nothing when no arm has a price."""
    priced = [result for result in results.runs if result.cost_per_1000_usd is not None]
    if not priced:
        return None
    points = "; ".join(
        f"{result.run.arm} {numbers.share(result.accuracy.value)} at {numbers.dollars(result.cost_per_1000_usd)}"
        for result in priced
    )
    unpriced = [result.run.arm for result in results.runs if result.cost_per_1000_usd is None]
    caption = (
        "Accuracy with its 95% interval (Wilson) against list price per 1,000 items. "
        "No other arm is both better and cheaper than those on the line."
    )
    if unpriced:
        caption += f" Not drawn, price unknown: {', '.join(unpriced)}."
    alt = f"Accuracy against cost per 1,000 items: {points}."
    return Section("Accuracy against cost", (Figure("accuracy-cost", alt, caption),))

"""The arms beside each other, in the comparisons that a verdict names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import comparison, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.comparison import Comparison
    from harness.analysis.panel import Panel


def compared(together: Panel, arm: int, others: Sequence[int], span: float) -> list[Comparison]:
    """An arm against others, corrected for all pairs of arms that were scored: every table says the same.

    A positive difference is the arm's lead; `span` is what a lead of 1 is worth in the metric's unit.
    """
    return [units.stretched(one, span) for one in comparison.among_all(together, [(arm, k) for k in others])]

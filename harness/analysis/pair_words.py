"""What may be said of two arms that were compared, in the words that every page and table shares. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.comparison import Comparison

AT_WORST = "At worst: were every failed call against the arm that is ahead."


def p_value(one: Comparison) -> str:
    """The corrected p-value, and what it is at worst where failed calls could make it a larger one."""
    seen = formatting.p_value(one.adjusted_p)
    worst = formatting.p_value(one.bounded_p)
    return seen if one.bounded_p is None or worst == seen else f"{seen} ({worst} at worst)"


def failures(made: Sequence[Comparison]) -> str:
    """What `at worst` means, behind a table in which it stands."""
    return f" {AT_WORST}" if any("at worst" in p_value(one) for one in made) else ""

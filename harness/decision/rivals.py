"""The recommended arm against the others: whether it is shown to be close enough, and how many items would tell."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import NormalDist
from typing import TYPE_CHECKING

from harness import comparison, panel
from harness.decision.candidates import ALPHA, fixed_rng, rows_of
from harness.stats import multiplicity, noninferiority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis import Results
    from harness.comparison import Comparison
    from harness.constraints import Constraints
    from harness.decision.candidates import Candidate

POWER = 0.8
NEVER = 1_000_000  # items that nobody will label


@dataclass(frozen=True, slots=True)
class Rival:
    """The recommended arm (`a` of the comparison) against another.

    `is_close` is true where the recommended arm is shown to be no more than the margin worse, None
    where that is open; `more_items` would probably settle it.
    """

    comparison: Comparison
    is_close: bool | None
    more_items: int | None


def rivals(results: Results, pairs: Sequence[tuple[Candidate, Candidate]], constraints: Constraints) -> list[Rival]:
    """Whether the first of each pair is shown to be no more than the margin worse than the second."""
    if not pairs:
        return []
    arms = {one.run_id: one for pair in pairs for one in pair}
    place = {run_id: number for number, run_id in enumerate(arms)}
    together = panel.of([rows_of(results, one) for one in arms.values()])
    numbered = [(place[a.run_id], place[b.run_id]) for a, b in pairs]
    made = comparison.compare_pairs(together, numbered, fixed_rng())
    adjusted = multiplicity.holm([_p_of_being_worse(one, constraints.margin) for one in made])
    return [
        Rival(one, _is_close(one, p, constraints.margin), _more_items(one, constraints.margin, len(made)))
        for one, p in zip(made, adjusted, strict=True)
    ]


def _p_of_being_worse(one: Comparison, margin: float) -> float | None:
    """One-sided p of "a is worse than b by the margin or more"."""
    difference = one.difference
    if difference.value is None or difference.low is None or difference.high is None:
        return None
    if difference.method == "Tango":
        return noninferiority.tango_test(one.table, margin)[1]
    deviation = (difference.high - difference.low) / (2 * NormalDist().inv_cdf(0.975))
    return NormalDist().cdf(-(difference.value + margin) / deviation) if deviation else 0.5


def _is_close(one: Comparison, adjusted_p: float | None, margin: float) -> bool | None:
    if adjusted_p is not None and adjusted_p <= ALPHA:
        return True
    is_shown_worse = one.difference.high is not None and one.difference.high < -margin
    return False if is_shown_worse else None


def _more_items(one: Comparison, margin: float, comparisons: int) -> int | None:
    """How many further items would show it with 80% power, were everything as it was seen; None for too many."""
    effect = (one.difference.value or 0.0) + margin
    if effect <= 0 or one.n == 0:
        return None
    disagreement = max(one.table.discordant, 1) / one.n
    z = NormalDist().inv_cdf(1 - ALPHA / comparisons) + NormalDist().inv_cdf(POWER)
    needed = ceil(z**2 * (disagreement - (one.difference.value or 0.0) ** 2) / effect**2)
    return max(needed - one.n, 1) if needed < NEVER else None

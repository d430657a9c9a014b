"""What a search for a better prompt has shown in the end, on items that nothing was chosen by. Pure.

The version and its parent are compared once, by the paired test that every two arms are compared by. How many variants
were tried before does not matter to it: none of them was scored on these items.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

from harness.analysis import lineage
from harness.stats import power

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.analysis.results import Results, RunResult

FACT = "improve"
"""The name of a search among the facts of a run."""
Shown = Literal["better", "shorter", "worse", "nothing"]


@dataclass(frozen=True, slots=True)
class Gain:
    """A version minus its parent. With a `margin` a shorter prompt was sought that loses less than it.

    `tokens` are about how many each has for an item, the version's first.
    """

    comparison: Comparison
    tokens: tuple[float, float]
    margin: float | None = None

    @property
    def shown(self) -> Shown:
        """What is shown: better; shorter and, by the lower end of the 95% interval, not worse by the margin; worse."""
        found = self.comparison
        difference = found.difference.value or 0.0
        if self.margin is not None and self.tokens[0] < self.tokens[1] and self._loses_less(self.margin):
            return "shorter"
        if not found.is_shown:
            return "nothing"
        return "better" if difference > 0 else "worse"

    @property
    def is_win(self) -> bool:
        """Whether what was sought is shown; a better prompt is a win also where a shorter one was sought."""
        return self.shown in ("better", "shorter")

    @property
    def needed_n(self) -> int | None:
        """How many items would show such a difference with 80% power, if it is one; None where none would.

        For a shorter prompt: such a loss as less than the margin.
        """
        found, n = self.comparison, self.comparison.n
        difference = found.difference.value or 0.0
        differing = self._disagreement(n)
        if self.margin is not None:
            if difference <= -self.margin:
                return None
            return ceil(power.needed_n_within(differing, self.margin, max(difference, -differing)))
        return ceil(power.needed_n(differing, difference)) if difference > 0 else None

    def _disagreement(self, n: int) -> float:
        """The share of items on which they differ, with one more for either side: few that differ are not none."""
        table, difference = self.comparison.table, abs(self.comparison.difference.value or 0.0)
        differing = table.discordant if table is not None else len(self.comparison.changed)
        return min(1.0, max((differing + 1) / (n + 2), difference))

    def _loses_less(self, margin: float) -> bool:
        found = self.comparison
        return found.difference.low is not None and found.difference.low > -margin and not found.failed


def rivals(results: Results) -> dict[str, RunResult | None]:
    """The best stored trained classifier and the best stored cascade on the same items; None where there is none."""
    trained = [one for one in results.runs if one.run.n_train and one.run.model is None and _how(one) is None]
    cascades = [one for one in results.runs if _how(one) == "cascade"]
    return {"trained classifier": _best(trained), "cascade": _best(cascades)}


def _how(result: RunResult) -> str | None:
    """How a fusion joins its members; None of any other run."""
    return lineage.choice(result.run).get("how")


def _best(runs: list[RunResult]) -> RunResult | None:
    known = [one for one in runs if one.headline.value is not None]
    return max(known, key=lambda one: one.headline.value or 0.0, default=None)


@dataclass(frozen=True, slots=True)
class StoredSearch:
    """The search that a stored run's prompt came of, as the run's facts have it.

    `levels` are the best version's mean credit on the items that chose, the dollars spent by then, and how many items.
    """

    parent: str
    proposed_by: str
    variants: int
    tried: int
    chosen_on: str
    spent_usd: float
    levels: tuple[tuple[float, float, int], ...]


def stored_search(result: RunResult) -> StoredSearch | None:
    """The search of a run; None where there was none, or where its facts, of a file perhaps, cannot be read as one."""
    said = result.run.facts.get(FACT)
    if not isinstance(said, dict):
        return None
    try:
        levels = tuple((float(usd), float(credit), int(n)) for usd, credit, n, _ in said["levels"])
        return StoredSearch(
            str(said["parent"]),
            str(said["proposed_by"]),
            int(said["variants"]),
            int(said["tried"]),
            str(said["chosen_on"]),
            float(said["spent_usd"]),
            levels,
        )
    except (KeyError, TypeError, ValueError):
        return None

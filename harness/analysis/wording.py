"""How a metric is spoken of: of answers that are right or wrong in those words, else by its name. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.measures import Measure
    from harness.datasets.task import Task


MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for one metric; `counts_right`: it is the share of answers that are right."""

    noun: str
    counts_right: bool = False

    def has(self, found: str) -> str:
        """`is right on .865`, or `has a mean F1 of .865`."""
        return f"is right on {found}" if self.counts_right else f"has {self.a_noun} of {found}"

    @property
    def a_noun(self) -> str:
        """The noun with its article."""
        return f"{'an' if self.noun[:1] in 'aeiou' else 'a'} {self.noun}"

    def among(self, found: str, items: str) -> str:
        """The same with the items that it was found on."""
        return f"{self.has(found)} {'of' if self.counts_right else 'on'} {items}"

    def say(self, text: str) -> str:
        """A text of ours that speaks of accuracy, speaking of this metric; nothing of people's own stands in it."""
        if self.counts_right:
            return text
        return text.replace("Accuracy", self.title).replace("accuracy", self.noun).replace(" (Wilson)", "")

    @property
    def was_best(self) -> str:
        """Of the arm with the best number."""
        return "was right most often" if self.counts_right else f"had the best {self.noun}"

    @property
    def superlative(self) -> str:
        """What it takes to be shown to be."""
        return "the most accurate" if self.counts_right else f"the best by {self.noun}"

    @property
    def worse(self) -> str:
        """Of an arm with a number that is not as good."""
        return "less accurate" if self.counts_right else f"worse by {self.noun}"

    @property
    def title(self) -> str:
        """The noun at the beginning of a sentence."""
        return self.noun[:1].upper() + self.noun[1:]


def mix(label_mix: Mapping[str, float]) -> str:
    """A mix of labels in words: `your mix of labels (spam .100, ...)`."""
    shares = [f"{label} {formatting.share(share)}" for label, share in list(label_mix.items())[:MOST_NAMED]]
    return f"your mix of labels ({', '.join(shares)}{', ...' if len(label_mix) > MOST_NAMED else ''})"


ACCURACY = Wording("accuracy", counts_right=True)


def of(measure: Measure) -> Wording:
    """The words for a metric."""
    return Wording(measure.noun, measure.is_headline and measure.task.rules.IS_BINARY)


def of_headline(task: Task) -> Wording:
    """The words for the mean credit of a task."""
    return Wording(task.noun, task.rules.IS_BINARY)


def looked_at(n: int, n_all: int) -> str:
    """Which items a metric or a comparison is of, where there are very many."""
    drawn = "drawn by their ids; the setting most_items says how many"
    return f"Metrics and comparisons are of {n:,} of the {n_all:,} items, {drawn}."

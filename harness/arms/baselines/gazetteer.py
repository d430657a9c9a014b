"""A list of the values seen in training, field by field: what a look-up table finds (`portable.look_up`)."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Self

from sklearn.base import BaseEstimator

from harness.arms.baselines._gold_spans import of_gold
from harness.arms.portable.kept import State
from harness.arms.portable.look_up import LookUp, further, places
from harness.arms.portable.spans import folded, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.portable.answer import Answer
    from harness.arms.portable.look_up import Run
    from harness.types import Item

VERSION = 1
KINDS = ("extract",)
LONGEST = 12  # tokens of a value


def build(seed: int = 0) -> Gazetteer:  # noqa: ARG001  (nothing is random)
    """The look-up table of training's values."""
    return Gazetteer()


class Gazetteer(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Values by their tokens, with how often they were one, in all and by the item's further fields."""

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Count, for every run of tokens that is a value somewhere, how often it is and is not one."""
        cut = [tokens(item.text) for item in items]
        spans = [of_gold(gold, found) for gold, found in zip(labels, cut, strict=True)]
        words = [[folded(token.text) for token in found] for found in cut]
        runs = {tuple(held[s.first : s.last + 1]) for held, of_item in zip(words, spans, strict=True) for s in of_item}
        longest = min(max(map(len, runs), default=0), LONGEST)
        counts: dict[tuple[str, Run], Counter[str]] = defaultdict(Counter)
        for item, held, of_item in zip(items, words, spans, strict=True):
            field_of = {(span.first, span.last): span.field for span in of_item}
            for first, last in places(len(held), longest):
                run = tuple(held[first : last + 1])
                if run in runs:
                    field = field_of.get((first, last), "")
                    counts["", run][field] += 1
                    counts[further(item), run][field] += 1
        self.table_ = LookUp(dict(counts), longest)
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The values of each item."""
        return self.table_.answers(items)

    def state(self) -> State:
        """The counts."""
        counts = [[*key, dict(fields)] for key, fields in sorted(self.table_.counts.items())]
        return State({"kind": "look_up", "longest": self.table_.longest, "counts": counts})

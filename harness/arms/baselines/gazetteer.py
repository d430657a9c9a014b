"""A list of the values seen in training, field by field: what a look-up table finds.

A run of tokens is taken for a value where at least half of its occurrences in the training texts were one; the
longest run first. Where the same was seen with the same further fields of the item (what a system had just asked for,
say), that decides, for there the same word means another field.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Self

from sklearn.base import BaseEstimator

from harness.arms.answers import Answer
from harness.arms.baselines import _spans
from harness.arms.baselines._spans import Span
from harness.ground.ids import canonical_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import Item

    Run = tuple[str, ...]

VERSION = 1
KINDS = ("extract",)
LONGEST = 12  # tokens of a value
HALF = 0.5
FEWEST = 2  # occurrences with the same further fields, before these decide


def build(seed: int = 0) -> Gazetteer:  # noqa: ARG001  (nothing is random)
    """The look-up table of training's values."""
    return Gazetteer()


class Gazetteer(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Values by their tokens, with how often they were one, in all and by the item's further fields."""

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Count, for every run of tokens that is a value somewhere, how often it is and is not one."""
        cut = [_spans.tokens(item.text) for item in items]
        spans = [_spans.of_gold(gold, found) for gold, found in zip(labels, cut, strict=True)]
        words = [[_spans.folded(token.text) for token in found] for found in cut]
        runs = {tuple(held[s.first : s.last + 1]) for held, of_item in zip(words, spans, strict=True) for s in of_item}
        self.longest_ = min(max(map(len, runs), default=0), LONGEST)
        self.counts_: dict[tuple[str, Run], Counter[str]] = defaultdict(Counter)
        for item, held, of_item in zip(items, words, spans, strict=True):
            field_of = {(span.first, span.last): span.field for span in of_item}
            for first, last in self._places(held):
                run = tuple(held[first : last + 1])
                if run in runs:
                    field = field_of.get((first, last), "")
                    self.counts_["", run][field] += 1
                    self.counts_[_context(item), run][field] += 1
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The values of each item; how sure it is, is the mean share of their occurrences that were one."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Item) -> Answer:
        found = _spans.tokens(item.text)
        words = [_spans.folded(token.text) for token in found]
        taken: list[Span] = []
        shares: list[float] = []
        for first, last in sorted(self._places(words), key=lambda place: (place[0] - place[1], place[0])):
            field, share = self._field(_context(item), tuple(words[first : last + 1]))
            if field and not any(one.first <= last and first <= one.last for one in taken):
                taken.append(Span(field, first, last))
                shares.append(share)
        return Answer(_spans.answer(item.text, found, taken), sum(shares) / len(shares) if shares else HALF)

    def _field(self, context: str, run: Run) -> tuple[str, float]:
        """The field that a run of tokens is a value of ('': none), and the share of its occurrences that were."""
        of_context = self.counts_.get((context, run), Counter())
        counts = of_context if sum(of_context.values()) >= FEWEST else self.counts_.get(("", run), Counter())
        if not counts:
            return "", 0.0
        field, n = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        share = n / sum(counts.values())
        return (field, share) if share >= HALF else ("", share)

    def _places(self, words: Sequence[str]) -> list[tuple[int, int]]:
        n = len(words)
        return [(first, last) for first in range(n) for last in range(first, min(first + self.longest_, n))]


def _context(item: Item) -> str:
    return canonical_json(dict(item.fields))

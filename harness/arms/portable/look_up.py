"""A look-up table of the values seen in training, field by field.

A run of tokens is taken for a value where at least half of its occurrences in the training texts were one; the
longest run first. Where the same was seen with the same further fields of the item (what a system had just asked for,
say), that decides, for there the same word means another field.

This file goes into shipped folders as it is: beside its neighbours it imports the standard library, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms.portable.answer import Answer, FittedBefore, canonical
from harness.arms.portable.spans import Span, folded, of_spans, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.arms.portable.answer import Readable

    Run = tuple[str, ...]

HALF = 0.5
FEWEST = 2  # occurrences with the same further fields, before these decide


class LookUp(FittedBefore):
    """How often a run of at most `longest` tokens was which field's value (`""`: of none), by the further fields.

    `counts` has them under `("", run)` whatever the further fields were.
    """

    def __init__(self, counts: Mapping[tuple[str, Run], Mapping[str, int]], longest: int) -> None:
        self.counts, self.longest = counts, longest

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """The values of each item; how sure it is, is the mean share of their occurrences that were one."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Readable) -> Answer:
        found, context = tokens(item.text), further(item)
        words = [folded(token.text) for token in found]
        taken: list[Span] = []
        shares: list[float] = []
        for first, last in sorted(places(len(words), self.longest), key=lambda at: (at[0] - at[1], at[0])):
            field, share = self._field(context, tuple(words[first : last + 1]))
            if field and not any(one.first <= last and first <= one.last for one in taken):
                taken.append(Span(field, first, last))
                shares.append(share)
        return Answer(of_spans(item.text, found, taken), sum(shares) / len(shares) if shares else HALF)

    def _field(self, context: str, run: Run) -> tuple[str, float]:
        """The field that a run of tokens is a value of ('': none), and the share of its occurrences that were."""
        of_context = self.counts.get((context, run), {})
        counts = of_context if sum(of_context.values()) >= FEWEST else self.counts.get(("", run), {})
        if not counts:
            return "", 0.0
        field, n = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        share = n / sum(counts.values())
        return (field, share) if share >= HALF else ("", share)


def places(n: int, longest: int) -> list[tuple[int, int]]:
    """The first and the last token of every run of at most so many, among n."""
    return [(first, last) for first in range(n) for last in range(first, min(first + longest, n))]


def further(item: Readable) -> str:
    """The further fields of an item as one text."""
    return canonical(dict(item.fields))

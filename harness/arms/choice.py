"""A choice among labels, asked several times: under rotated orders, or as repeated votes.

A model prefers some places of a list to others, whatever stands there (Zheng et al. 2024, ICLR,
"Large Language Models Are Not Robust Multiple Choice Selectors"). Each draw therefore shows the
labels in another order, and the scores are averaged per label. Where a model gives no
probabilities, each reply is one vote, and the shares of the votes are the scores.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from string import ascii_uppercase
from typing import TYPE_CHECKING

from harness.datasets import label_parser
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.types import Label, Response


@dataclass(frozen=True, slots=True)
class Draw:
    """One time of asking: the labels in the order shown, what each is called, and the sample's number."""

    labels: tuple[Label, ...]
    aliases: tuple[str, ...]
    sample: int

    @property
    def alias_of(self) -> dict[str, str]:
        """What each label is called in this draw; empty where labels go by their names."""
        return {label.name: alias for label, alias in zip(self.labels, self.aliases, strict=False)}

    @property
    def label_of(self) -> dict[str, str]:
        """The label that each alias stands for."""
        return {alias: label.name for alias, label in zip(self.aliases, self.labels, strict=True)}


def plain(labels: Sequence[Label], sample: int = 0) -> Draw:
    """The labels in their own order and by their own names: how every other output mode shows them."""
    return Draw(tuple(labels), (), sample)


def draws(labels: Sequence[Label], rotations: int, votes: int, repeat: int) -> list[Draw]:
    """Every order that is shown, `votes` times each. Rotations are spread evenly over the list."""
    names = aliases(len(labels))
    turns = min(rotations, len(labels))
    starts = [turn * len(labels) // turns for turn in range(turns)]
    return [
        Draw((*labels[start:], *labels[:start]), names, repeat * votes + vote)
        for start in starts
        for vote in range(votes)
    ]


def aliases(n: int) -> tuple[str, ...]:
    """Short names, each one token in the usual vocabularies: letters, or numbers when there are too many."""
    return tuple(ascii_uppercase[:n]) if n <= len(ascii_uppercase) else tuple(str(i + 1) for i in range(n))


def tally(asked: Sequence[Draw], replies: Sequence[Response]) -> tuple[Outcome, str | None, dict[str, float] | None]:
    """The outcome, the label with the highest average score, and the scores. A tie for the top is no answer."""
    answered = [_scores(draw, reply) for draw, reply in zip(asked, replies, strict=True) if reply.finish != "refusal"]
    if not answered:
        return Outcome.REFUSED, None, None
    known = [scores for scores in answered if scores]
    if not known:
        return Outcome.UNPARSED, None, None
    total: Counter[str] = Counter()
    for scores in known:
        total.update(scores)
    mean = {label.name: total[label.name] / len(known) for label in asked[0].labels}
    top = max(mean.values())
    leaders = [name for name, score in mean.items() if score == top]
    return (Outcome.ANSWERED, leaders[0], mean) if len(leaders) == 1 else (Outcome.ABSTAINED, None, mean)


def _scores(draw: Draw, reply: Response) -> Mapping[str, float]:
    """Scores per label: the model's own, or all to the one it named, or nothing where it named none."""
    if reply.scores:
        return {draw.label_of[alias]: score for alias, score in reply.scores.items() if alias in draw.label_of}
    _, label = label_parser.parse_alias(reply.text, draw.label_of)
    return {} if label is None else {label: 1.0}

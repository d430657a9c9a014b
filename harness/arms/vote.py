"""A vote: every member is asked, and the label with most weight behind it is the answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Protocol

from harness.arms._together import after, ask
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.types import Arm, Item, Prediction


class Count(Protocol):
    """How ballots become scores."""

    def scores(self, ballots: Sequence[tuple[str | None, float]]) -> Mapping[str, float]:
        """A score per label, adding up to 1, from each member's label and how sure it is; the first wins a tie."""
        ...


class VoteArm:
    """Members that are asked at the same time; `count` says how their answers are put together.

    A member without an answer casts no vote; if none votes, the arm abstains. A failed member makes
    the item fail: what the vote would have been is not known. Costs add up, and the slowest member
    is what a caller waits for.
    """

    def __init__(self, members: Sequence[Arm], count: Count) -> None:
        self._members = tuple(members)
        self._count = count

    @property
    def batch_size(self) -> int:
        """The largest of the members' own."""
        return max(member.batch_size for member in self._members)

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Every member learns from the same items."""
        for member in self._members:
            member.fit(items, labels)

    async def prepare(self, items: Sequence[Item]) -> None:
        """Every member sees every item."""
        for member in self._members:
            await member.prepare(items)

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in the items' order."""
        said = await asyncio.gather(*(ask(member, items) for member in self._members))
        return [self._counted([ballots[item.id] for ballots in said]) for item in items]

    def _counted(self, ballots: Sequence[Prediction]) -> Prediction:
        together = replace(
            reduce(after, ballots),
            latency_s=_slowest(ballots),
            raw=None,
            usage=None,
            request_id=None,
            cached=all(ballot.cached for ballot in ballots),
        )
        failed = [ballot for ballot in ballots if ballot.outcome is Outcome.FAILED]
        if failed:
            return replace(together, outcome=Outcome.FAILED, label=None, score=None, scores=None, error=failed[0].error)
        scores = dict(self._count.scores([(ballot.label, _sureness(ballot)) for ballot in ballots]))
        if not scores:
            return replace(together, outcome=Outcome.ABSTAINED, label=None, score=None, scores=None, error=None)
        best = max(scores, key=lambda label: scores[label])
        return replace(together, outcome=Outcome.ANSWERED, label=best, score=scores[best], scores=scores, error=None)


def _sureness(ballot: Prediction) -> float:
    if ballot.outcome is not Outcome.ANSWERED:
        return 0.0
    return 1.0 if ballot.score is None else ballot.score


def _slowest(ballots: Sequence[Prediction]) -> float | None:
    waits = [ballot.latency_s for ballot in ballots]
    return None if None in waits else max(wait for wait in waits if wait is not None)

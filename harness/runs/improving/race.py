"""Variants against the prompt they are made of, paired on the same items, in an order that no answer changes. Pure.

Sequential halving (Karnin, Koren and Somekh 2013): all begin on a few items, the better half goes on to more. Every
pair is looked at all the time by the anytime-valid test of `stats.sequential`, which ends it when one is shown to
be better.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.stats.sequential import Race

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.prompts.files import Prompt

ALPHA = 0.05  # of each pair; what is claimed in the end is tested anew, on other items
STEP = 25  # items that are asked together


@dataclass(frozen=True, slots=True)
class Variant:
    """A prompt in the race: `key` is what it says, `origin` who made it, `tokens` about how many it has for an item."""

    key: str
    number: int = 0
    origin: str = ""
    tokens: float = 0.0
    prompt: Prompt | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """What a variant said of an item, and what that is worth; None where nobody answered."""

    item: str
    credit: float | None
    reply: str = ""


class Scorer(Protocol):
    """Asks variants. The same question is asked once, and has one answer ever after."""

    async def __call__(self, variant: Variant, items: Sequence[str]) -> Sequence[Scored]:
        """What the variant says of these items, in their order."""
        ...


class Duel:
    """A challenger and the prompt that it would replace, over a growing number of items."""

    def __init__(self, scorer: Scorer, challenger: Variant, holder: Variant, items: Sequence[str]) -> None:
        self.challenger = challenger
        self._scorer, self._holder, self._items = scorer, holder, items
        self._asked, self._sum = 0, 0.0
        self._race = Race()

    @property
    def n(self) -> int:
        """Items that both answered."""
        return self._race.n

    @property
    def gain(self) -> float:
        """The challenger's mean credit minus the holder's, on the same items."""
        return self._sum / self.n if self.n else 0.0

    @property
    def is_better(self) -> bool:
        """Whether the challenger is shown to be better, whenever one looks."""
        return self._race.leader(ALPHA) == "a"

    @property
    def is_worse(self) -> bool:
        """Whether it is shown to be worse."""
        return self._race.leader(ALPHA) == "b"

    async def until(self, size: int) -> None:
        """Go on until so many items are asked, or it is shown who is better."""
        while self._asked < min(size, len(self._items)) and not (self.is_better or self.is_worse):
            part = self._items[self._asked : min(self._asked + STEP, size)]
            self._asked += len(part)
            ours, theirs = await asyncio.gather(self._scorer(self.challenger, part), self._scorer(self._holder, part))
            for a, b in zip(ours, theirs, strict=True):
                if a.credit is not None and b.credit is not None:
                    self._race, self._sum = self._race.after(a.credit, b.credit), self._sum + a.credit - b.credit


@dataclass(frozen=True, slots=True)
class Aim:
    """What is sought: more credit, or with a `margin` fewer tokens at no more than so much less credit."""

    margin: float | None = None

    def worth(self, gain: float, variant: Variant, holder: Variant) -> float:
        """How much a variant is worth above the holder: its credit, and what its tokens save of the margin."""
        if self.margin is None:
            return gain
        return gain + self.margin * (1 - variant.tokens / max(holder.tokens, 1e-9))

    def is_reached(self, gain: float, variant: Variant, holder: Variant) -> bool:
        """Whether a variant may take the holder's place."""
        if self.margin is None:
            return gain > 0
        return variant.tokens < holder.tokens and gain > -self.margin / 2


async def halved(duels: Sequence[Duel], holder: Variant, aim: Aim, sizes: Sequence[int], keep: int) -> list[Duel]:
    """The duels that are left after each size in turn: not shown to be worse, and the better half, `keep` at least."""
    left = list(duels)
    for size in sizes:
        await asyncio.gather(*(duel.until(size) for duel in left))
        left = sorted(
            (duel for duel in left if not duel.is_worse),
            key=lambda duel: (-aim.worth(duel.gain, duel.challenger, holder), duel.challenger.number),
        )[: max(keep, (len(left) + 1) // 2)]
    return [duel for duel in left if aim.is_reached(duel.gain, duel.challenger, holder)]

"""The search itself: proposals from errors, a race on training items, survivors on dev, round after round. Pure.

It is deterministic: who asks again, with a ledger that knows the answers, goes the same way without paying twice.
Where the money ends it stops in good order, with what the end needs kept back. No claim comes of it: a variant that
is best of many on dev flatters itself, so what is said in the end is tested on items that nothing was chosen by.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Literal, Protocol

from harness.ground.ids import unit_interval
from harness.runs.improving.race import Aim, Duel, Variant, halved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.runs.improving.race import Scored, Scorer

KEPT = 2  # of a round, that are tried on dev
ROUNDS_WITHOUT_GAIN = 5
EXAMPLES = "examples"  # the origin of variants that nobody proposed
MOST_MADE = 6  # variants that nobody proposed: with examples
MOST_STEPS = 4  # times the first step, that errors are looked for in
WRONG_SHOWN = 12
FEWEST_RIGHT = 4
Ending = Literal["budget", "variants", "no gain", "all right"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What the search may do: its items in their order, how many variants, how many in a round, on how many items.

    `gold` is an item's right answer, by which the errors that are shown take turns.
    """

    train: tuple[str, ...]
    dev: tuple[str, ...]
    gold: Mapping[str, str]
    variants: int = 20
    in_a_round: int = 4
    minibatch: int = 50
    seed: int = 0
    aim: Aim = field(default_factory=Aim)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The items of each step of the race on train."""
        return tuple(dict.fromkeys(min(size, len(self.train)) for size in (self.minibatch, 2 * self.minibatch)))

    def asks(self, variants: int, *, is_new: bool) -> int:
        """The most questions that a round of so many variants takes; `is_new`: the holder was not on dev yet."""
        first, *rest = self.sizes
        kept = min(variants, max(KEPT, (variants + 1) // 2))
        on_train = variants * first + sum(kept * (size - first) for size in rest)
        holder = len(self.dev) + self.sizes[-1] if is_new else 0
        return on_train + min(variants, KEPT) * len(self.dev) + holder

    @property
    def most_asks(self) -> int:
        """The most questions that all rounds take, and the looks for errors between them."""
        rounds, last = divmod(self.variants, self.in_a_round)
        each = [self.in_a_round] * rounds + [last] * bool(last)
        looks = (len(each) + 1) * min(MOST_STEPS * self.sizes[0], len(self.train))
        return looks + sum(self.asks(variants, is_new=True) for variants in each) + self.asks_on_dev(MOST_MADE)

    @property
    def escalated(self) -> int:
        """How many proposals more there are where rewriting has shown a gain on dev."""
        return max(1, self.variants // 2)

    def asks_on_dev(self, variants: int) -> int:
        """The most questions that a race of so many variants on dev takes, with the holder's."""
        n = len(self.dev)
        return variants * (n // 2) + min(variants, KEPT) * n + n


@dataclass(frozen=True, slots=True)
class Trial:
    """A variant that was proposed: why it was not tried, or its gain on train and dev. `spent_usd` is so far."""

    number: int
    origin: str
    outcome: str
    variant: Variant | None = None
    base: Variant | None = None
    train: tuple[float, int] | None = None
    dev: tuple[float, int] | None = None
    is_kept: bool = False
    spent_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Level:
    """The mean credit on dev of the best variant so far, when so much was spent."""

    spent_usd: float
    credit: float
    n: int
    number: int


@dataclass(slots=True)
class Story:
    """What the search did, and what came of it."""

    parent: Variant
    best: Variant
    trials: list[Trial] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    learnt_from: set[str] = field(default_factory=set)
    ended: Ending = "variants"

    @property
    def with_examples(self) -> int:
        """Variants that nobody proposed: the best prompt with examples."""
        return sum(trial.origin == EXAMPLES for trial in self.trials)

    @property
    def tried(self) -> int:
        """Variants that were asked."""
        return sum(trial.variant is not None for trial in self.trials)

    @property
    def on_train(self) -> int:
        """Variants that were tried on training items."""
        return sum(trial.train is not None for trial in self.trials)

    @property
    def on_dev(self) -> int:
        """Variants that were tried on dev."""
        return sum(trial.dev is not None for trial in self.trials)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A variant to try, or why there is none."""

    variant: Variant | None
    flaw: str = ""


class Proposer(Protocol):
    """Thinks of a variant: its number, the prompt to change, items with replies, and what was tried so far."""

    async def __call__(
        self, number: int, holder: Variant, lessons: Sequence[Scored], trials: Sequence[Trial]
    ) -> Proposed:
        """One proposal."""
        ...


class Purse(Protocol):
    """The money of the search. What the end needs is kept back."""

    @property
    def spent_usd(self) -> float:
        """What was billed so far, for the questions of this search."""
        ...

    def holds(self, asks: int, proposals: int) -> bool:
        """Whether so many more questions and proposals fit in."""
        ...


class Search:
    """One search. `tell` hears every step."""

    def __init__(
        self,
        terms: Terms,
        scorer: Scorer,
        propose: Proposer,
        purse: Purse,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._terms, self._scorer, self._propose, self._purse, self._tell = terms, scorer, propose, purse, tell
        self._on_dev: set[str] = set()

    async def run(self, parent: Variant) -> Story:
        """Rounds until money, variants or hope end."""
        story, barren = Story(parent, parent), 0
        while True:
            errors = await self._errors(story.best)
            if self._terms.aim.margin is None and all(one.credit == 1 for one in errors):
                story.ended = "all right"
                return story
            places = self._places(story)
            if not places:
                story.ended = "variants" if len(story.trials) >= self._terms.variants else "budget"
                return story
            barren = 0 if await self._round(story, errors, places) else barren + 1
            if barren >= ROUNDS_WITHOUT_GAIN:
                story.ended = "no gain"
                return story

    async def try_all(self, story: Story, proposed: Sequence[Variant]) -> bool:
        """Whether one of some variants that are there already, `MOST_MADE` at most, takes the place of the best so far.

        They race on dev from the start: those that the money allows.
        """
        left = self._affordable(story, proposed[:MOST_MADE])
        first = len(story.trials)
        numbered = [replace(one, number=first + 1 + place) for place, one in enumerate(left)]
        story.trials += [Trial(one.number, one.origin, "not better on dev", one, story.best) for one in numbered]
        return await self.race_on_dev(story, numbered)

    async def race_on_dev(self, story: Story, variants: Sequence[Variant]) -> bool:
        """Whether one of some variants, whose trials are entered, takes the place of the best so far."""
        n = len(self._terms.dev)
        duels = [Duel(self._scorer, one, story.best, self._terms.dev) for one in variants]
        better = await halved(duels, story.best, self._terms.aim, (n // 4, n // 2), KEPT)
        for duel in duels:
            self._note(story, duel.challenger, outcome="not better on dev", dev=(duel.gain, duel.n))
        return await self._on_dev_in_turn(story, better)

    def _affordable(self, story: Story, proposed: Sequence[Variant]) -> list[Variant]:
        """Those of some variants that the money allows to race: they cost by their tokens, and the longest go first."""
        left, n = list(proposed), len(self._terms.dev)
        while left:
            weights = sorted(max(one.tokens / max(story.best.tokens, 1), 1.0) for one in left)
            if self._purse.holds(ceil(sum(weights) * n / 2 + sum(weights[-KEPT:]) * n + n), 0):
                return left
            left.remove(max(left, key=lambda one: one.tokens))
        return left

    async def _errors(self, holder: Variant) -> list[Scored]:
        """The holder's answers to the first training items; to more of them while all are right."""
        size = self._terms.sizes[0]
        while True:
            answers = [one for one in await self._scorer(holder, self._terms.train[:size]) if one.credit is not None]
            if any(one.credit != 1 for one in answers) or size >= min(
                MOST_STEPS * self._terms.sizes[0], len(self._terms.train)
            ):
                return answers
            size = min(2 * size, MOST_STEPS * self._terms.sizes[0], len(self._terms.train))

    def _places(self, story: Story) -> range:
        """The numbers of the next proposals: as many as a round has, or as the money still allows."""
        done = len(story.trials)
        most = min(self._terms.in_a_round, self._terms.variants - done)
        while most > 0 and not self._purse.holds(
            self._terms.asks(most, is_new=story.best.key not in self._on_dev), most
        ):
            most -= 1
        return range(done + 1, done + 1 + max(most, 0))

    async def _round(self, story: Story, errors: Sequence[Scored], places: range) -> bool:
        """Whether one of the proposals of a round takes the place of the best so far."""
        shown = [_chosen(errors, self._terms, number) for number in places]
        story.learnt_from |= {one.item for lessons in shown for one in lessons}
        before = tuple(story.trials)
        proposals = await asyncio.gather(
            *(self._propose(number, story.best, lessons, before) for number, lessons in zip(places, shown, strict=True))
        )
        first = len(story.trials)
        known = {trial.variant.key for trial in story.trials if trial.variant} | {story.parent.key, story.best.key}
        for number, one in zip(places, proposals, strict=True):
            variant = None if one.variant is None or one.variant.key in known else replace(one.variant, number=number)
            known |= {one.variant.key} if one.variant else set()
            flaw = "" if variant else one.flaw or "known already"
            origin = one.variant.origin if one.variant else "rewriting"
            story.trials.append(Trial(number, origin, flaw, variant, story.best, spent_usd=self._purse.spent_usd))
        return await self._race(story, first)

    async def _race(self, story: Story, first: int) -> bool:
        """Whether one of the trials from number `first` on takes the place of the best so far."""
        terms, holder = self._terms, story.best
        duels = [Duel(self._scorer, t.variant, holder, terms.train) for t in story.trials[first:] if t.variant]
        left = await halved(duels, holder, terms.aim, terms.sizes, KEPT) if duels else []
        for duel in duels:
            self._note(story, duel.challenger, outcome="not better on train", train=(duel.gain, duel.n))
        return await self._on_dev_in_turn(story, left)

    async def _on_dev_in_turn(self, story: Story, left: Sequence[Duel]) -> bool:
        """Whether one of those that are left takes the place of the best so far on all of dev."""
        holder = story.best
        for duel in left[:KEPT]:
            await self._on_all_dev(story, duel.challenger)
        self._tell(f"{len(story.trials)} variants, best so far: number {story.best.number}")
        return story.best is not holder

    async def _on_all_dev(self, story: Story, challenger: Variant) -> None:
        """The challenger against the best so far, on dev; it takes its place where it reaches the aim."""
        holder, aim = story.best, self._terms.aim
        duel = Duel(self._scorer, challenger, holder, self._terms.dev)
        await duel.until(len(self._terms.dev))
        self._on_dev |= {holder.key, challenger.key}
        is_kept = aim.is_reached(duel.gain, challenger, holder)
        outcome = "kept" if is_kept else "not better on dev"
        self._note(story, challenger, outcome=outcome, dev=(duel.gain, duel.n), is_kept=is_kept)
        if not story.levels:
            story.levels.append(await self._level(holder, duel.n))
        if is_kept:
            story.best = challenger
            story.levels.append(await self._level(challenger, duel.n))

    async def _level(self, variant: Variant, n: int) -> Level:
        """A variant's mean credit on the dev items that it was asked."""
        answers = await self._scorer(variant, self._terms.dev[:n])
        credits = [one.credit for one in answers if one.credit is not None]
        return Level(self._purse.spent_usd, sum(credits) / max(len(credits), 1), len(credits), variant.number)

    def _note(self, story: Story, variant: Variant, **more: object) -> None:
        """Enter what came of a variant's trial."""
        noted = replace(story.trials[variant.number - 1], spent_usd=self._purse.spent_usd, **more)  # type: ignore[arg-type]
        story.trials[variant.number - 1] = noted


def _chosen(answers: Sequence[Scored], terms: Terms, number: int) -> list[Scored]:
    """The items that a proposal is made from: wrong and right ones, as many of each where there are; golds take turns.

    Each number has others, so that proposals differ.
    """
    order = sorted(
        answers, key=lambda one: (one.credit or 0.0, unit_interval("lesson", str(terms.seed), str(number), one.item))
    )
    wrong = _in_turns([one for one in order if one.credit != 1], terms.gold)[:WRONG_SHOWN]
    right = _in_turns([one for one in order if one.credit == 1], terms.gold)
    return wrong + right[: max(len(wrong), FEWEST_RIGHT)]


def _in_turns(answers: Sequence[Scored], gold: Mapping[str, str]) -> list[Scored]:
    """The same, reordered so that right answers take turns."""
    turn: dict[str, int] = {}
    keyed = []
    for place, one in enumerate(answers):
        label = gold.get(one.item, "")
        turn[label] = turn.get(label, -1) + 1
        keyed.append((turn[label], place, one))
    return [one for _, _, one in sorted(keyed, key=lambda entry: entry[:2])]

"""Which training items a prompt shows: fixed, random, stratified or nearest, with a leak guard.

The pool is the training split and nothing else, so the scored split cannot leak in whole. The
guard keeps out the rest: a training item that *is* the item being asked, or repeats its words, equally
or nearly, is never shown, for then the prompt would hold the answer. What a repetition is, the audit says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.datasets.audit.twins import Twins
from harness.errors import ConfigError, one_of
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.arms.prompts.files import FewShot
    from harness.types import Example, Item

CHUNK = 1024
REMEMBERED = 100_000
SPARE = 8
"""How many candidates are looked at beyond those to show: few items have more twins than that."""


class Selector(Protocol):
    """Chooses the examples that a prompt shows for an item."""

    def prepare(self, items: Sequence[Item]) -> None:
        """Choose for many items at once."""
        ...

    def choose(self, item: Item) -> Sequence[Example]:
        """The examples to show for an item, in the order to show them."""
        ...


def selector(
    few_shot: FewShot, pool: Sequence[Example], embed: Callable[[Sequence[str]], NDArray[np.float32]]
) -> Selector:
    """The selector that a prompt's front matter asks for, over the training items `pool`."""
    if few_shot.how == "none":
        return Fixed(())
    if len(pool) < max(few_shot.k, 1):
        raise ConfigError(f"the prompt shows {few_shot.k} examples, and the training split has {len(pool)} items")
    guard = Guard(pool, few_shot.near)
    if few_shot.how == "knn":
        return Nearest(guard, few_shot.k, embed)
    watch = Watch(guard, tuple(_chosen(few_shot, pool)), few_shot)
    return Fixed([pool[place] for place in watch.places], watch)


def askable(few_shot: FewShot, pool: Sequence[Example], examples: Sequence[Example]) -> list[Example]:
    """Those of the examples that a prompt may be asked, which always shows the same of a pool: they repeat none."""
    if few_shot.how in ("none", "knn"):
        return list(examples)
    return Watch(Guard(pool, few_shot.near), tuple(_chosen(few_shot, pool)), few_shot).apart(examples)


class Guard:
    """Says which examples of a pool repeat an item, so that a prompt that shows them would hold the answer."""

    def __init__(self, pool: Sequence[Example], near: float) -> None:
        self.pool = tuple(pool)
        self._twins = Twins([example.item.words for example in pool], near)

    def repeated(self, items: Sequence[Item], places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each item (a row), which examples at its `places` of the pool it repeats."""
        return self._twins.repeated([item.words for item in items], places)

    def holds(self, items: Sequence[Item], places: Sequence[int]) -> NDArray[np.bool_]:
        """For each item (a row) and each of these places, whether it repeats the example there."""
        shown = np.array(places, dtype=np.int64)
        blocks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
        parts = [self.repeated(block, np.tile(shown, (len(block), 1))) for block in blocks]
        return np.concatenate(parts) if parts else np.zeros((0, len(shown)), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Watch:
    """The guard of examples that are the same for every item: where in the pool they stand."""

    guard: Guard
    places: tuple[int, ...]
    few_shot: FewShot

    def apart(self, examples: Sequence[Example]) -> list[Example]:
        """Those of the examples that may be asked: they repeat none that is shown."""
        repeats = np.any(self.guard.holds([one.item for one in examples], self.places), axis=1).tolist()
        return [one for one, is_repeat in zip(examples, repeats, strict=True) if not is_repeat]

    def check(self, items: Sequence[Item]) -> None:
        """Refuse to show an item its own answer: `ConfigError` names the pair and what to do."""
        rows, columns = np.nonzero(self.guard.holds(items, self.places))
        if not len(rows):
            return
        item, twin = items[int(rows[0])], self.guard.pool[self.places[int(columns[0])]].item
        drawn = self.few_shot.how != "fixed"
        other = "draw others, by another examples.seed" if drawn else "choose another example"
        raise ConfigError(
            f"the example {twin.id!r} repeats the item {item.id!r}, or nearly ({twin.text[:60]!r} and "
            f"{item.text[:60]!r}), so the prompt would hold the answer; {other}, group the two in a new version "
            "(harness dataset new-version --group near-duplicates), or show the nearest: how: knn passes these over"
        )


class Fixed:
    """The same examples for every item; without a watch on them they may repeat it."""

    def __init__(self, examples: Sequence[Example], watch: Watch | None = None) -> None:
        self._examples = tuple(examples)
        self._watch = watch

    def prepare(self, items: Sequence[Item]) -> None:
        """Refuse to show an item its own answer: `ConfigError` names the pair."""
        if self._watch is not None:
            self._watch.check(items)

    def choose(self, item: Item) -> Sequence[Example]:  # noqa: ARG002  (the protocol's argument)
        """The fixed examples."""
        return self._examples

    def unwatched(self) -> Fixed:
        """The same for new items: they are not scored, so no answer is given away."""
        return Fixed(self._examples)


class Nearest:
    """The k training items whose sentence embedding is nearest, the nearest last.

    Last, because it then stands next to the question. Training items that repeat the item's
    words, equally or nearly, are passed over.
    """

    def __init__(self, guard: Guard, k: int, embed: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        self._guard = guard
        self._pool = guard.pool
        self._k = k
        self._embed = embed
        self._vectors = embed([example.item.words for example in guard.pool])
        self._chosen: dict[str, tuple[Example, ...]] = {}

    def prepare(self, items: Sequence[Item]) -> None:
        """Choose for all items, by blocks of one matrix product."""
        if len(self._chosen) > REMEMBERED:  # a file may have millions
            self._chosen = {}
        for start in range(0, len(items), CHUNK):
            block = items[start : start + CHUNK]
            for item, chosen in zip(block, self._nearest(block), strict=True):
                self._chosen[item.id] = chosen

    def choose(self, item: Item) -> Sequence[Example]:
        """The nearest training items, the nearest last."""
        chosen = self._chosen.get(item.id)
        return self._nearest([item])[0] if chosen is None else chosen

    def _nearest(self, items: Sequence[Item]) -> list[tuple[Example, ...]]:
        similarity = self._embed([item.words for item in items]) @ self._vectors.T
        return self._without_twins(items, similarity, self._k + SPARE)

    def _without_twins(
        self, items: Sequence[Item], similarity: NDArray[np.float32], width: int
    ) -> list[tuple[Example, ...]]:
        """The nearest for each item, among so many candidates; among more where too many of them repeat it."""
        # Ties are broken by position, so that the prompt is the same on every machine.
        candidates = np.array([np.argsort(-row, kind="stable")[:width] for row in similarity], dtype=np.int64)
        is_twin = self._guard.repeated(items, candidates)
        kept = [row[~twins][: self._k] for row, twins in zip(candidates, is_twin, strict=True)]
        short = [n for n, row in enumerate(kept) if len(row) < self._k and width < len(self._pool)]
        chosen = [tuple(self._pool[place] for place in row[::-1]) for row in kept]
        if short:
            wider = self._without_twins([items[n] for n in short], similarity[short], width * SPARE)
            for n, row in zip(short, wider, strict=True):
                chosen[n] = row
        return chosen


def _chosen(few_shot: FewShot, pool: Sequence[Example]) -> list[int]:
    """Where in the pool the examples stand, in the order to show them."""
    place_of = {example.item.id: place for place, example in enumerate(pool)}
    if few_shot.how == "fixed":
        for item_id in few_shot.ids:
            if item_id not in place_of:
                raise ConfigError(f"example {item_id!r} is not in the training split; {one_of(item_id, place_of)}")
        return [place_of[item_id] for item_id in few_shot.ids]
    shuffled = sorted(pool, key=lambda example: unit_interval(str(few_shot.seed), example.item.id))
    drawn = shuffled if few_shot.how == "random" else in_turns(shuffled)
    return [place_of[example.item.id] for example in drawn[: few_shot.k]]


def in_turns(examples: Sequence[Example]) -> list[Example]:
    """The examples, reordered so that the labels take turns: every prefix is as balanced as it can be."""
    turn: dict[str, int] = {}
    keyed = []
    for position, example in enumerate(examples):
        turn[example.label] = turn.get(example.label, -1) + 1
        keyed.append((turn[example.label], position, example))
    return [example for _, _, example in sorted(keyed, key=lambda entry: entry[:2])]

"""Which training items a prompt shows: fixed, random, stratified or nearest, with a leak guard.

The pool is the training split and nothing else, so the scored split cannot leak in whole. The
guard keeps out the rest: a training item that *is* the item being asked, or repeats its words,
is never shown, for then the prompt would hold the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.errors import ConfigError, one_of
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.arms.prompts.files import FewShot
    from harness.types import Example, Item

CHUNK = 1024
REMEMBERED = 100_000


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
    if few_shot.how == "knn":
        return Nearest(pool, few_shot.k, embed)
    return Fixed(_chosen(few_shot, pool))


class Fixed:
    """The same examples for every item."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = tuple(examples)
        self._words = {folded(example.item): example for example in examples}

    def prepare(self, items: Sequence[Item]) -> None:
        """Refuse to show an item its own answer: `ConfigError` names the pair."""
        for item in items:
            twin = self._words.get(folded(item))
            if twin is not None:
                raise ConfigError(
                    f"the example {twin.item.id!r} repeats the item {item.id!r} ({item.text[:60]!r}), so the "
                    "prompt would hold the answer; choose another example, or group the two in a new version"
                )

    def choose(self, item: Item) -> Sequence[Example]:  # noqa: ARG002  (the protocol's argument)
        """The fixed examples."""
        return self._examples


class Nearest:
    """The k training items whose sentence embedding is nearest, the nearest last.

    Last, because it then stands next to the question. Training items that repeat the item's
    words are passed over.
    """

    def __init__(self, pool: Sequence[Example], k: int, embed: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        self._pool = tuple(pool)
        self._k = k
        self._embed = embed
        self._vectors = embed([example.item.words for example in pool])
        self._folded = [folded(example.item) for example in pool]
        self._chosen: dict[str, tuple[Example, ...]] = {}

    def prepare(self, items: Sequence[Item]) -> None:
        """Choose for all items, by blocks of one matrix product."""
        if len(self._chosen) > REMEMBERED:  # a file may have millions
            self._chosen = {}
        for start in range(0, len(items), CHUNK):
            block = items[start : start + CHUNK]
            similarity = self._embed([item.words for item in block]) @ self._vectors.T
            for item, row in zip(block, similarity, strict=True):
                self._chosen[item.id] = self._nearest(item, row)

    def choose(self, item: Item) -> Sequence[Example]:
        """The nearest training items, the nearest last."""
        chosen = self._chosen.get(item.id)
        return self._nearest(item, (self._embed([item.words]) @ self._vectors.T)[0]) if chosen is None else chosen

    def _nearest(self, item: Item, similarity: NDArray[np.float32]) -> tuple[Example, ...]:
        own = folded(item)
        # Ties are broken by position, so that the prompt is the same on every machine.
        nearest = [i for i in np.argsort(-similarity, kind="stable") if self._folded[i] != own][: self._k]
        return tuple(self._pool[i] for i in reversed(nearest))


def _chosen(few_shot: FewShot, pool: Sequence[Example]) -> list[Example]:
    if few_shot.how == "fixed":
        by_id = {example.item.id: example for example in pool}
        for item_id in few_shot.ids:
            if item_id not in by_id:
                raise ConfigError(f"example {item_id!r} is not in the training split; {one_of(item_id, by_id)}")
        return [by_id[item_id] for item_id in few_shot.ids]
    shuffled = sorted(pool, key=lambda example: unit_interval(str(few_shot.seed), example.item.id))
    if few_shot.how == "random":
        return shuffled[: few_shot.k]
    return in_turns(shuffled)[: few_shot.k]


def in_turns(examples: Sequence[Example]) -> list[Example]:
    """The examples, reordered so that the labels take turns: every prefix is as balanced as it can be."""
    turn: dict[str, int] = {}
    keyed = []
    for position, example in enumerate(examples):
        turn[example.label] = turn.get(example.label, -1) + 1
        keyed.append((turn[example.label], position, example))
    return [example for _, _, example in sorted(keyed, key=lambda entry: entry[:2])]


def folded(item: Item) -> str:
    """An item's words, by which two are the same."""
    return " ".join(item.words.casefold().split())

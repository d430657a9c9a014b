"""Which items of a dataset a run predicts, and which examples its arm may learn from."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from harness.errors import ConfigError, one_of
from harness.ground.ids import item_set_id, item_set_of, unit_interval
from harness.types import Item, KeptExamples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.types import Dataset, Example

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which items of a dataset are predicted: a split, a random part of it of size `limit`, or those of these ids."""

    dataset: Dataset
    split: str = "test"
    limit: int | None = None
    ids: tuple[str, ...] = ()

    def items(self) -> Sequence[Item]:
        """The items to predict. A smaller limit gives a subset of a larger one."""
        examples = self.dataset.in_split(self.split)
        if not examples:
            known = one_of(self.split, self.dataset.splits)
            raise ConfigError(f"{self.dataset.ref} has no items in split {self.split!r}; {known}")
        if self.ids:
            return self._chosen(examples)
        if self.limit is not None and self.limit < len(examples):
            examples = heapq.nsmallest(self.limit, examples, lambda one: unit_interval("limit", one.item.id))
        if isinstance(examples, KeptExamples):
            return KeptItems(examples)
        return tuple(example.item for example in examples)

    def _chosen(self, examples: Sequence[Example]) -> tuple[Item, ...]:
        by_id = {example.item.id: example.item for example in examples}
        for item_id in self.ids:
            if item_id not in by_id:
                raise ConfigError(
                    f"{self.dataset.ref} / {self.split} has no item {item_id!r}; {one_of(item_id, by_id)}"
                )
        return tuple(by_id[item_id] for item_id in dict.fromkeys(self.ids))

    def is_whole(self, items: Sequence[Item]) -> bool:
        """Whether these are all items of the split."""
        return len(items) == len(self.dataset.in_split(self.split))

    def training(self) -> tuple[Example, ...]:
        """The examples that arms may learn from: those of the training split with a label, never the scored one."""
        if self.split == TRAIN:
            raise ConfigError(
                "arms learn from the train split, so scoring it says nothing; use --split test or --folds 5"
            )
        return tuple(self.dataset.labelled(TRAIN))


class KeptItems(Sequence[Item]):
    """The items of examples that stay in files, as they do."""

    def __init__(self, examples: KeptExamples) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __iter__(self) -> Iterator[Item]:
        for example in self._examples:
            yield example.item

    @overload
    def __getitem__(self, place: int) -> Item: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Item]: ...
    def __getitem__(self, place: int | slice) -> Item | Sequence[Item]:
        if isinstance(place, slice):
            return tuple(example.item for example in self._examples[place])
        return self._examples[place].item

    @property
    def item_set(self) -> str:
        """The id of the set of these items."""
        return item_set_of(self._examples.ids())


def item_set(items: Sequence[Item]) -> str:
    """The id of a set of items, whatever their order."""
    return items.item_set if isinstance(items, KeptItems) else item_set_id([item.id for item in items])

"""Which items of a dataset a run predicts, and which examples its arm may learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import ConfigError, one_of
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import Dataset, Example, Item

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which items of a dataset are predicted: a split, a random part of it of size `limit`, or those of these ids."""

    dataset: Dataset
    split: str = "test"
    limit: int | None = None
    ids: tuple[str, ...] = ()

    def items(self) -> tuple[Item, ...]:
        """The items to predict. A smaller limit gives a subset of a larger one."""
        examples = self.dataset.in_split(self.split)
        if not examples:
            splits = {example.split for example in self.dataset.examples}
            raise ConfigError(f"{self.dataset.ref} has no items in split {self.split!r}; {one_of(self.split, splits)}")
        if self.ids:
            return self._chosen(examples)
        if self.limit is not None and self.limit < len(examples):
            drawn = sorted(examples, key=lambda example: unit_interval("limit", example.item.id))
            examples = tuple(drawn[: self.limit])
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
        return self.dataset.labelled(TRAIN)

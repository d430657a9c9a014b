"""A dataset as the checks see it: columns of texts, labels and splits, and what several checks need."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit import neighbours
from harness.datasets.audit.equality import TRAIN, normal_form

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.datasets.audit.neighbours import Neighbours
    from harness.types import Dataset

ORDER = {TRAIN: 0, "dev": 1, "test": 2}


@dataclass(frozen=True, slots=True)
class Near:
    """What counts as nearly the same text: the cosine it takes.

    With `by_train`, n-grams are known and weighted by the train split alone: two texts are near
    when an arm that learned from it can hardly tell them apart. With `embed` (texts to unit vectors,
    a row each) texts of the same meaning are near, whatever their words; `encoder` is its name.
    """

    cosine: float = 0.90
    by_train: bool = False
    embed: Callable[[Sequence[str]], NDArray[np.float32]] | None = None
    encoder: str | None = None


DEFAULT = Near()


class Subject:
    """One dataset version under audit. A text is an item's text with its tags, as classifiers read it."""

    def __init__(self, dataset: Dataset, how: Near = DEFAULT) -> None:
        self.dataset = dataset
        self.how = how
        self.ids = [example.item.id for example in dataset.examples]
        self.texts = [example.item.words for example in dataset.examples]
        self.labels = [example.label for example in dataset.examples]
        self.splits = [example.split for example in dataset.examples]
        self.groups = [example.group for example in dataset.examples]

    @cached_property
    def split_names(self) -> list[str]:
        """The splits: train, dev, test, then others by name."""
        return sorted(set(self.splits), key=lambda name: (ORDER.get(name, 3), name))

    @cached_property
    def scored_splits(self) -> list[str]:
        """The splits that arms do not learn from."""
        return [name for name in self.split_names if name != TRAIN]

    @cached_property
    def rows_of(self) -> dict[str, list[int]]:
        """The rows of each split, by number."""
        rows: dict[str, list[int]] = {name: [] for name in self.split_names}
        for row, split in enumerate(self.splits):
            rows[split].append(row)
        return rows

    @cached_property
    def normalised(self) -> list[str]:
        """Each text without case and without extra blanks, in one Unicode form."""
        return [normal_form(text) for text in self.texts]

    @cached_property
    def distinct(self) -> tuple[list[str], NDArray[np.int64]]:
        """The different normalised texts, those of the train split first, and for every row which of them it is."""
        texts = self.normalised
        number_of = {text: i for i, text in enumerate(dict.fromkeys(texts[row] for row in self.rows_of.get(TRAIN, ())))}
        codes = [number_of.setdefault(text, len(number_of)) for text in texts]
        return list(number_of), np.array(codes, dtype=np.int64)

    @cached_property
    def neighbours(self) -> Neighbours:
        """The pairs of different normalised texts that are nearly the same."""
        texts, codes = self.distinct
        if self.how.embed is not None:
            return neighbours.among(self.how.embed(texts), self.how.cosine)
        train = self.rows_of.get(TRAIN, [])
        known = int(codes[train].max()) + 1 if self.how.by_train and train else None
        return neighbours.find(texts, self.how.cosine, known)

    @cached_property
    def near_groups(self) -> NDArray[np.int64]:
        """A number per row, the same for rows that are equal or nearly so, however many steps apart."""
        texts, codes = self.distinct
        return neighbours.components(len(texts), self.neighbours)[codes]

    def covered_by_groups(self, rows: Sequence[int]) -> bool:
        """Whether these rows all have a group: then splits and standard errors know that they belong together."""
        return all(self.groups[row] for row in rows)


def by_value(values: Sequence[str], rows: Sequence[int]) -> dict[str, list[int]]:
    """The rows by the value that stands there, in order of first appearance."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        found[values[row]].append(row)
    return found

"""Corrections to begin with, as `dataset new-version --edits` takes them. Pure.

A cell is filled where the data leave one answer; where a person has to decide it is empty, which changes nothing.
So no correction takes away a difference that somebody may have meant.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.datasets.audit import spelling
from harness.datasets.audit.equality import normal_form

if TYPE_CHECKING:
    from harness.types import Dataset, Example

COLUMNS = ("id", "label", "#was", "#text", "#why")
CLEAR = 10  # times as frequent as another spelling in letters or joins: the other one is a slip


@dataclass(frozen=True, slots=True)
class Correction:
    """A row and the label that it should have; None where that is for a person to say."""

    example: Example
    label: str | None
    why: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Under `COLUMNS`: those that begin with # are remarks."""
        item = self.example.item
        return item.id, self.label or "", self.example.label, " ".join(item.text.split()), self.why


def suggested(dataset: Dataset) -> list[Correction]:
    """The rows whose label is spelt in another way elsewhere, and those whose text stands under other labels too."""
    if dataset.kind != "single":
        return []
    spelt = _spellings(dataset)
    torn = _conflicts(dataset, {name: new for name, new in spelt.items() if new})
    return [found for one in dataset.examples if (found := _correction(one, spelt, torn)) is not None]


def _correction(one: Example, spelt: dict[str, str | None], torn: dict[str, Counter[str]]) -> Correction | None:
    said = torn.get(normal_form(one.item.words))
    name = spelt.get(one.label) or one.label
    if said is not None:
        others = ", ".join(f"{n} x {label}" for label, n in said.most_common())
        (first, n), (_, next_n) = said.most_common(2)
        right = first if n > next_n + 1 else None  # two against one may be chance
        if right == one.label:
            return None
        return Correction(one, right, f"the same text has several labels: {others}")
    if one.label in spelt and name != one.label:
        return Correction(one, name, f"the label is spelt {name} elsewhere")
    if one.label in spelt:
        return Correction(one, None, "the label is spelt in another way elsewhere; is it meant?")
    return None


def _spellings(dataset: Dataset) -> dict[str, str | None]:
    """The labels that have twins, each with the spelling to take; None where both are in use or both described.

    The spelling that is right is not in the table.
    """
    counts = Counter(example.label for example in dataset.examples)
    meant = {label.name: label.description for label in dataset.labels}
    found: dict[str, str | None] = {}
    for family in spelling.twins(dataset.label_names):
        chief = max(family, key=lambda name: (counts[name], name == spelling.composed(name)))
        for name in family:
            alike = spelling.composed(name) == spelling.composed(chief)
            rare = counts[chief] >= CLEAR * counts[name]
            described = {meant[name], meant[chief]} - {""}
            if name != chief:
                found[name] = chief if len(described) < 2 and (alike or rare) else None
    return found


def _conflicts(dataset: Dataset, spelt: dict[str, str]) -> dict[str, Counter[str]]:
    """How often each label stands at a text, for the texts that have several once spellings are mended."""
    said: dict[str, Counter[str]] = {}
    for example in dataset.examples:
        said.setdefault(normal_form(example.item.words), Counter())[spelt.get(example.label, example.label)] += 1
    return {text: labels for text, labels in said.items() if len(labels) > 1}

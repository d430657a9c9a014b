"""One person at a label page: which item comes next, what was said, what has come of it. Every answer is journalled."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING

from harness.datasets.label_journal import Entry, agreed, standing
from harness.datasets.sampling import WEIGHT
from harness.datasets.task import kind_of
from harness.datasets.versions import derive
from harness.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.datasets.label_journal import Act, Journal
    from harness.datasets.sampling import Drawn
    from harness.types import Dataset, Example, Item


@dataclass(frozen=True, slots=True)
class Terms:
    """Who labels, how many people each item goes to, how items were drawn, and whether suggestions are shown.

    With `is_adjudicating` the items are those that people disagree on, and the answer stands for all of them.
    """

    annotator: str
    per_item: int = 1
    how: str = "random"
    suggestions: Mapping[str, str] = field(default_factory=dict)
    is_adjudicating: bool = False


class Session:
    """The items of a draw, in order, and the journal. Safe for several threads: two tabs are two threads."""

    def __init__(self, dataset: Dataset, drawn: Sequence[Drawn], journal: Journal, terms: Terms) -> None:
        self.dataset = dataset
        self.terms = terms
        self.drawn = tuple(drawn)
        self._weights = {one.item.id: one.weight for one in drawn}
        self._items: dict[str, Item] = {one.item.id: one.item for one in drawn}
        self._queue = deque(self._items)
        self._journal = journal
        self._shown: dict[str, str] = {}
        self._lock = RLock()

    def next(self, tab: str) -> Item | None:
        """The next item for a tab: the one it shows already, else one that no other tab shows; None at the end."""
        with self._lock:
            said = self.said()
            if tab in self._shown and self._is_open(self._shown[tab], said):
                return self._items[self._shown[tab]]
            taken = {item for other, item in self._shown.items() if other != tab}
            waiting = [item for item in self._queue if self._is_open(item, said)]
            chosen = next((item for item in waiting if item not in taken), waiting[0] if waiting else None)
            if chosen is None:
                self._shown.pop(tab, None)
                return None
            self._shown[tab] = chosen
            return self._items[chosen]

    def answer(self, tab: str, entry: Entry) -> None:
        """Take an answer; it is on the disk when this returns. `ConfigError` for an item or an answer that is none."""
        with self._lock:
            self._journal.append(self._checked(entry))
            self._shown.pop(tab, None)
            if entry.act == "skip":  # it comes again at the end
                self._queue.remove(entry.item)
                self._queue.append(entry.item)

    def entry(self, act: Act, item: str, at: str, answer: str | None = None, seconds: float | None = None) -> Entry:
        """An entry of this session's person, with what is known of the item."""
        terms = self.terms
        act = "adjudicate" if act == "label" and terms.is_adjudicating else act
        suggested = terms.suggestions.get(item)
        return Entry(act, item, terms.annotator, at, answer, suggested, self._weights.get(item), terms.how, seconds)

    def undo(self, tab: str, at: str) -> Item | None:
        """Take back this person's last answer that still stands; its item is shown again. None without one."""
        with self._lock:
            said = self.said()
            for entry in reversed(self._journal.entries()):
                who = "" if entry.act == "adjudicate" else entry.annotator
                is_mine = entry.annotator == self.terms.annotator and entry.item in self._items
                if is_mine and entry.act != "undo" and said.get(entry.item, {}).get(who) == entry:
                    self._journal.append(
                        Entry("undo", entry.item, self.terms.annotator, at, "adjudicate" if not who else None)
                    )
                    self._shown[tab] = entry.item
                    return self._items[entry.item]
            return None

    def said(self) -> dict[str, dict[str, Entry]]:
        """What everybody last said, by item and person."""
        return standing(self._journal.entries())

    def labels(self) -> dict[str, str]:
        """The labels that stand, by item: agreed, or adjudicated."""
        found = {item: agreed(of_item) for item, of_item in self.said().items()}
        return {item: label for item, label in found.items() if label is not None}

    def counts(self) -> dict[str, int]:
        """How far this person is: items done and in all, skipped, not to be told; and how many people differ on."""
        said, who = self.said(), "" if self.terms.is_adjudicating else self.terms.annotator
        mine = [said[item][who] for item in self._items if who in said.get(item, {})]
        return {
            "done": sum(entry.act in ("label", "adjudicate") for entry in mine),
            "cannot tell": sum(entry.act == "cannot tell" for entry in mine),
            "all": len(self._items),
            "disagreed": len(disagreed(said)),
        }

    def others(self, item: str) -> list[str]:
        """What was said of an item, for whoever adjudicates: the answers, without who gave them."""
        if not self.terms.is_adjudicating:
            return []
        of_item = self.said().get(item, {})
        return sorted(str(entry.answer) for who, entry in of_item.items() if who and entry.act == "label")

    def _is_open(self, item: str, said: Mapping[str, Mapping[str, Entry]]) -> bool:
        of_item = said.get(item, {})
        if self.terms.is_adjudicating:
            return "" not in of_item
        mine = of_item.get(self.terms.annotator)
        if mine is not None:
            return mine.act == "skip"
        answered = sum(entry.act in ("label", "cannot tell") for entry in of_item.values())
        return answered < self.terms.per_item

    def _checked(self, entry: Entry) -> Entry:
        """The entry with its answer as the kind writes it."""
        if entry.item not in self._items:
            raise ConfigError(f"there is no item {entry.item!r} in this draw")
        if entry.act not in ("label", "adjudicate"):
            return entry
        try:
            answer = answer_of(self.dataset, self._items[entry.item], entry.answer or "", "the answer")
        except DatasetError as error:
            raise ConfigError(str(error)) from None
        return replace(entry, answer=answer)


def answer_of(dataset: Dataset, item: Item, given: str, where: str) -> str:
    """What a person answered, as the kind writes it; `DatasetError` at `where` for what is no answer to the item."""
    rules = kind_of(dataset.kind)
    answer = rules.read_gold(given, dataset.label_names, where)
    check_places = getattr(rules, "check_places", None)
    if check_places is not None:
        check_places(answer, item.text, where)
    return answer


def disagreed(said: Mapping[str, Mapping[str, Entry]]) -> list[str]:
    """The items that two people gave different labels and nobody has adjudicated."""
    return [
        item
        for item, of_item in said.items()
        if "" not in of_item and len({entry.answer for entry in of_item.values() if entry.act == "label"}) > 1
    ]


def release(
    root: Path, dataset: Dataset, version: str, journal: Journal, watch: Callable[[str], None] = lambda _: None
) -> tuple[Path, int]:
    """The folder of a new version with the labels that stand, and how many; no row changes its split.

    The probability with which an item was drawn stays beside its label, as the column `sampling_weight`. What people
    still disagree on has no label, and its count is told to `watch`.
    """
    said = standing(journal.entries())
    labels = {item: (label, said[item]) for item in said if (label := agreed(said[item])) is not None}
    if not labels:
        raise DatasetError(
            f"{journal.path}: nobody has labelled anything yet, so there is nothing to release; "
            f"begin with: harness label {dataset.ref}"
        )
    if waiting := len(disagreed(said)):
        watch(f"{waiting} items have different labels by different people; harness label --adjudicate settles them")
    if untold := sum(item not in labels and any(e.act == "cannot tell" for e in said[item].values()) for item in said):
        watch(f"{untold} items that nobody could tell have no label; estimates will be of items like the others")
    examples = [_labelled(example, labels) for example in dataset.examples]
    note = f"{len(labels):,} labels given on the label page"
    return derive(root, dataset.ref, version, examples, note), len(labels)


def _labelled(example: Example, labels: Mapping[str, tuple[str, Mapping[str, Entry]]]) -> Example:
    """The example with its new label, and beside it how many others it stands for."""
    if example.item.id not in labels:
        return example
    label, of_item = labels[example.item.id]
    weights = [entry.weight for entry in of_item.values() if entry.weight is not None]
    fields = dict(example.item.fields) | ({WEIGHT: f"{weights[0]:.6g}"} if weights else {})
    return replace(example, label=label, item=replace(example.item, fields=fields))

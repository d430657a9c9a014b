"""The first reading of an import: which columns, labels and splits there are, and what is wrong with them.

All of it is known before anything is written, so an error can count its rows and name the option
that puts it right. Only what differs is held: names of columns, labels and splits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.datasets import doubts, gold_cells, vocabulary
from harness.datasets.cells import is_missing
from harness.datasets.gold_cells import Gold
from harness.datasets.notes import DISAGREE, MERGED
from harness.datasets.problems import ImportProblem
from harness.datasets.vocabulary import Seen
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.datasets.cells import Cell
    from harness.datasets.gold_readers import GoldReader
    from harness.datasets.notes import Notes

MAX_LABELS = 2000
MAX_COLUMNS = 2000
SINGLE = "single"


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns that mean something, and what is to be done about rows without text or label."""

    text: str
    label: str
    split: str | None
    kind: str
    relabel: Mapping[str, str]
    drop_unlabelled: bool
    drop_empty: bool
    reader: GoldReader | None = None
    keep_unlabelled: bool = False


@dataclass(slots=True)
class Survey:
    """What was seen, row by row; `decide` then says what each label and split becomes."""

    roles: Roles
    n: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    first_row: str = ""
    _labels: dict[str, Seen] = field(default_factory=dict)
    _splits: dict[str, Seen] = field(default_factory=dict)
    _unlabelled: dict[str, Seen] = field(default_factory=dict)
    _empty: Seen | None = None
    _golds: dict[str, Gold] = field(default_factory=dict)
    _final: dict[str, str | None] = field(default_factory=dict)
    _split_of: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, row: Mapping[str, Cell], given: str | None, notes: Notes) -> None:
        """Take one more row into account; `given` is the split of its file."""
        self.n += 1
        self.first_row = self.first_row or where
        if not row.keys() <= self.columns.keys():
            self.columns.update(dict.fromkeys(row))
            if len(self.columns) > MAX_COLUMNS:
                raise DatasetError(f"{where}: the rows have more than {MAX_COLUMNS:,} different columns")
        self._add_gold(where, row, notes)
        split = None if given is not None or self.roles.split is None else row.get(self.roles.split)
        if isinstance(split, str) and split.strip():
            _count(self._splits, split, where)

    def _add_gold(self, where: str, row: Mapping[str, Cell], notes: Notes) -> None:
        gold = self.gold(where, row)
        if doubts.is_total(row.get(self.roles.text)):
            example = f"if so, take it out of the file; its label is {gold.label!r}"
            notes.add("noticed", "rows that are perhaps a total of the others, not a text", where, example)
        if gold.why and gold.label is not None:
            example = f"{row.get(self.roles.label)!r} is {gold.label!r}"
            notes.add("repaired", gold.why, where, example)
        if gold.label is None and not (self.roles.keep_unlabelled and self._is_empty(row)):
            _count(self._unlabelled, gold.why, where)
        elif self._is_empty(row):
            self._empty = self._empty or Seen(0, where)
            self._empty.n += 1
        elif gold.label is not None:
            self._count_names(where, row, gold.label, notes)

    def gold(self, where: str, row: Mapping[str, Cell]) -> Gold:
        """What the label cell of a row says, before names are brought together."""
        if self.roles.reader is not None:
            return Gold(self.roles.reader.read(where, row))
        if not self.roles.label:
            return Gold(None)
        cell = row.get(self.roles.label)
        if not isinstance(cell, str):
            return gold_cells.read(cell, where, self.roles.label)
        known = self._golds.get(cell)
        if known is None:
            known = gold_cells.read(cell, where, self.roles.label)
            if len(self._golds) < MAX_LABELS * 10:
                self._golds[cell] = known
        return known

    def decide(self, notes: Notes) -> None:
        """Bring names together, count what is left out; raises `ImportProblem` for rows that are not taken."""
        roles = self.roles
        self._split_of = vocabulary.splits(self._splits, notes)
        if roles.reader is None or roles.kind == "multi":
            self._final = vocabulary.labels(self._labels, roles.relabel, roles.label, notes)
            for label, seen in self._labels.items():
                if self._final[label] is None and roles.reader is None:
                    self._unlabelled.setdefault(f"it is {label!r}", Seen(0, seen.where)).n += seen.n
        self._note_doubts(notes)
        if self._empty is not None and not roles.drop_empty:
            raise ImportProblem(
                f"{self._empty.where}: the text is empty; every item needs one, and {self._empty.n:,} of "
                f"{self.n:,} rows have none: leave them out with --drop-empty",
                {"drop_empty": True},
            )
        is_kept = roles.keep_unlabelled and not roles.drop_unlabelled
        if self._unlabelled and not (roles.drop_unlabelled or is_kept):
            self._refuse_unlabelled(notes)
        for why, seen in self._unlabelled.items():
            reason = f" ({why})" if why else ""
            notes.add("noticed" if is_kept else "left out", f"rows without a label{reason}", seen.where, n=seen.n)
        if self._empty is not None:
            notes.add("left out", "rows without a text", self._empty.where, n=self._empty.n)

    def _note_doubts(self, notes: Notes) -> None:
        """Say where a column reads as none of labels."""
        doubt = doubts.of_labels({label: seen.n for label, seen in self._labels.items()})
        if doubt is not None and self.roles.kind == SINGLE:
            first, seen = next(iter(self._labels.items()))
            notes.add("noticed", doubt, seen.where, f"{first!r} in column {self.roles.label!r}", n=self.n)

    def kept(self, where: str, row: Mapping[str, Cell]) -> str | None:
        """The label of a row as it is released, '' of one to be labelled; None for a row that is left out."""
        if self._is_empty(row):
            return None
        roles, label = self.roles, self.gold(where, row).label
        reader, absent = roles.reader, "" if roles.keep_unlabelled and not roles.drop_unlabelled else None
        if label is None or reader is None:
            final = None if label is None else self._final.get(label, label)
            return absent if final is None else final
        whole = reader.whole(row, label)
        return None if whole is None else reader.checked(reader.renamed(whole, self._final), where)

    def names_in(self, answer: str) -> tuple[str, ...]:
        """The names that an answer holds: its label, its labels, its fields; '' where there is none yet."""
        return (answer,) if self.roles.reader is None or not answer else self.roles.reader.names(answer)

    def rating(self, row: Mapping[str, Cell], rater: str, where: str) -> str | None:
        """What a rater says of a row, as canonical text; None where they say nothing."""
        reader, cell = self.roles.reader, row.get(rater)
        if reader is None:
            label = gold_cells.read(cell, where, rater).label
            return None if label is None else self._final.get(label, label)
        answer = reader.of_cell(cell, rater, where, row)
        return None if answer is None else reader.checked(reader.renamed(answer, self._final), where)

    def _count_names(self, where: str, row: Mapping[str, Cell], answer: str, notes: Notes) -> None:
        reader = self.roles.reader
        for name in self.names_in(answer):
            _count(self._labels, name, where)
        if reader is not None and reader.merges and reader.note(row, answer):
            notes.add("repaired", "rows of an item that stands in several put together", where)
        if len(self._labels) > MAX_LABELS:
            self._refuse_many(where)

    def split(self, raw: str) -> str:
        """The name of a split as it is released."""
        return self._split_of.get(raw, raw)

    def _is_empty(self, row: Mapping[str, Cell]) -> bool:
        cell = row.get(self.roles.text)
        return not isinstance(cell, list) and is_missing(cell)

    def _refuse_unlabelled(self, notes: Notes) -> None:
        n = sum(seen.n for seen in self._unlabelled.values())
        why, first = next(iter(self._unlabelled.items()))
        reason = f" ({why})" if why else ""
        merged = f" (or fill them in: the sheet has {MERGED})" if notes.count(MERGED) else ""
        apart = notes.count(DISAGREE)
        differ = f" (in {apart:,} of them annotators chose different labels)" if apart else ""
        raise ImportProblem(
            f"{first.where}: the label in column {self.roles.label!r} is empty{reason}, as it is in {n:,} of "
            f"{self.n:,} rows{differ}: leave them out with --drop-unlabelled{merged}",
            {"drop_unlabelled": True},
        )

    def _refuse_many(self, where: str) -> None:
        raise ImportProblem(
            f"{where}: column {self.roles.label!r} holds more than {MAX_LABELS:,} different labels, the most that a "
            "closed set may have: is it the right column?"
        )


def _count(seen: dict[str, Seen], name: str, where: str) -> None:
    known = seen.get(name)
    if known is None:
        seen[name] = Seen(1, where)
    else:
        known.n += 1

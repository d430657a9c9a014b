"""Predictions made elsewhere, matched with a dataset's items: by id, else by exact text. Pure.

An answer is read as a model's reply is (see `parsing`), or where that is asked for, counts only when it
is spelled exactly as a label. Anything else is unparsed and keeps its text. Where the other tool
judged its answers, they are read as it read them: see `_as_judged`. Where it asked the items several
times (epochs, repeats), each time is a run of its own. Rows that match no item, rows for an item that
has its prediction already, and items without one are reported, never dropped in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from harness.datasets import text_files
from harness.datasets.layouts import PLAIN, Layout
from harness.datasets.task import Task, kind_of
from harness.errors import DatasetError, one_of
from harness.ground.ids import content_id, item_set_id
from harness.types import Outcome, Prediction, ReplyFormat, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.types import JSON, Dataset, Example

    Row = tuple[str, Mapping[str, object]]

PREFIX = "import:"
LABEL = ReplyFormat(mode="label")
MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a file holds what, and how it is laid out. Cost in dollars, latency in seconds, per item."""

    prediction: str
    id: str | None = None
    text: str | None = None
    score: str | None = None
    outcome: str | None = None
    cost: str | None = None
    latency: str | None = None
    layout: Layout = PLAIN

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that are read."""
        given = (self.prediction, self.id, self.text, self.score, self.outcome, self.cost, self.latency)
        return tuple(name for name in given if name is not None)


@dataclass(frozen=True, slots=True)
class Foreign:
    """One prediction as another tool wrote it. `was_right` is that tool's own judgement, where it made one.

    `answer` None, with no outcome given, is an item that was not answered. `spellings` are what else the same
    answer may be called: a choice by its letter. `other_texts` are texts of
    the row of which one may be the item's. `repeat` counts from 0 how often the tool had asked the item
    before, where it says so.
    """

    where: str
    id: str | None
    text: str | None
    answer: str | None
    outcome: Outcome | None = None
    score: float | None = None
    cost_usd: float | None = None
    latency_s: float | None = None
    error: str | None = None
    was_right: bool | None = None
    other_texts: tuple[str, ...] = ()
    repeat: int = 0
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disputed:
    """An answer that the other tool and we judge differently: `was_right` is its judgement, `is_right` ours.

    `label` is what we read.
    """

    where: str
    item_id: str
    answer: str | None
    label: str | None
    gold: str
    was_right: bool
    is_right: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of the rows of a file. Places are `file:line`; `missing` are item ids of the split.

    `predictions` are the first answers, `repeats` those of each further time that the items were asked;
    an item is missing where one of them lacks it. `elsewhere` counts rows of items in other splits;
    `judged` is the accuracy the other tool gave its predictions and `judged_here` ours of the same rows,
    `differently_judged` the rows on whose being right we do not agree, `disputed` the first of them.
    `unread` counts the answers that are no label; `first_unread` is the first of them.
    """

    rows: int
    predictions: tuple[Prediction, ...]
    unmatched: tuple[str, ...]
    duplicates: tuple[str, ...]
    missing: tuple[str, ...]
    repeats: tuple[tuple[Prediction, ...], ...] = ()
    elsewhere: int = 0
    judged: float | None = None
    judged_here: float | None = None
    differently_judged: tuple[str, ...] = ()
    disputed: tuple[Disputed, ...] = ()
    unread: int = 0
    first_unread: str | None = None

    @property
    def times(self) -> tuple[tuple[Prediction, ...], ...]:
        """The predictions of each time that the items were asked."""
        return self.predictions, *self.repeats


def foreign(rows: Iterable[Row], columns: Columns, path: Path) -> Iterator[Foreign]:
    """The predictions of a table's rows; `DatasetError` names the row whose cell is not what it must be.

    A column that is missing is missing in the file, whose header names them.
    """
    if columns.id is None and columns.text is None:
        raise DatasetError("rows are matched with items by --id COL or --text COL; give one of them")
    for where, row in rows:
        _check(row, columns, text_files.names_place(path, where))
        answer = _cell(row, columns.prediction, where)
        yield Foreign(
            where=where,
            id=_cell(row, columns.id, where),
            text=_cell(row, columns.text, where),
            answer=answer if answer is not None and answer.strip() else None,
            outcome=_outcome(_cell(row, columns.outcome, where), where),
            score=_number(_cell(row, columns.score, where), where, columns.score, most=1.0),
            cost_usd=_number(_cell(row, columns.cost, where), where, columns.cost),
            latency_s=_number(_cell(row, columns.latency, where), where, columns.latency),
        )


def match(rows: Iterable[Foreign], dataset: Dataset, split: str, arm: str, *, exact: bool = False) -> Matched:
    """The predictions for one split's items, in the items' order; `arm` is their path.

    `exact`: an answer is a label only where it is spelled as the label is.
    """
    wanted, task = tuple(dataset.in_split(split)), Task.of(dataset)
    if not wanted:
        raise DatasetError(f"{dataset.ref} has no items in split {split!r}; {one_of(split, dataset.splits)}")
    places = _Places(dataset, wanted)
    found: dict[int, dict[str, Prediction]] = {}
    judged: list[Disputed] = []
    unmatched: list[str] = []
    duplicates: list[str] = []
    count, elsewhere = 0, 0
    for row in rows:
        count += 1
        example = places.take(row)
        if example is None:
            (duplicates if places.knows(row) else unmatched).append(row.where)
        elif example.split != split:
            elsewhere += 1
        else:
            prediction = _prediction(row, example, dataset, arm, exact=exact)
            found.setdefault(row.repeat, {})[example.item.id] = prediction
            if row.was_right is not None and prediction.outcome is not Outcome.FAILED:
                is_right = task.credit(example.label, prediction.label) == 1
                answers = (row.answer, prediction.label, example.label)
                judged.append(Disputed(row.where, example.item.id, *answers, row.was_right, is_right))
    times = [found[repeat] for repeat in sorted(found)] or [{}]
    first, *repeats = (tuple(time[e.item.id] for e in wanted if e.item.id in time) for time in times)
    disputed = [one for one in judged if one.was_right != one.is_right]
    unread = [one.raw for one in chain(first, *repeats) if one.outcome is Outcome.UNPARSED]
    return Matched(
        rows=count,
        predictions=first,
        unmatched=tuple(unmatched),
        duplicates=tuple(duplicates),
        missing=tuple(e.item.id for e in wanted if not all(e.item.id in time for time in times)),
        repeats=tuple(repeats),
        elsewhere=elsewhere,
        judged=_share([one.was_right for one in judged]),
        judged_here=_share([one.is_right for one in judged]),
        differently_judged=tuple(one.where for one in disputed),
        disputed=tuple(disputed[:MOST_SHOWN]),
        unread=len(unread),
        first_unread=unread[0] if unread else None,
    )


def _share(marks: Sequence[bool]) -> float | None:
    return sum(marks) / len(marks) if marks else None


def runs_of(
    times: Sequence[Sequence[Prediction]], dataset: Dataset, split: str, arm: str, *, by_answers: bool = False
) -> list[Run]:
    """The runs that these predictions are: one for each time that the items were asked, repeats of one arm.

    Their identity is what they say: the same answers are the same runs. `by_answers` leaves prices,
    times and the last digits of scores out of it: they differ each time that the same function is called.
    """
    said: list[JSON] = [[_said(one, by_answers=by_answers) for one in predictions] for predictions in times]
    arm_id = content_id({"arm": arm, "predictions": said})
    items = item_set_id(list({one.item_id for predictions in times for one in predictions}))
    what: dict[str, JSON] = {"dataset_id": dataset.id, "split": split, "arm": arm, "arm_id": arm_id, "item_set": items}
    return [
        Run(content_id(what | {"repeat": k}), dataset.id, split, arm, arm_id, item_set=items, repeat=k)
        for k in range(len(times))
    ]


def _said(one: Prediction, *, by_answers: bool) -> list[JSON]:
    if by_answers:
        return [one.item_id, one.outcome.value, one.label, one.score and round(one.score, 6)]
    return [one.item_id, one.outcome.value, one.label, one.raw, one.score, one.cost_usd, one.latency_s, one.error]


class _Places:
    """Where the items of a dataset are found: each id once a repeat, each text as often as it occurs."""

    def __init__(self, dataset: Dataset, first: tuple[Example, ...]) -> None:
        self._by_id = {example.item.id: example for example in dataset.examples}
        self._by_text: dict[str, list[Example]] = {}
        # The split that is wanted comes first, where a text occurs in several.
        chosen = {example.item.id for example in first}
        rest = (example for example in dataset.examples if example.item.id not in chosen)
        for example in (*first, *rest):
            self._by_text.setdefault(example.item.text, []).append(example)
        self._taken: set[tuple[int, str]] = set()
        self._reached: dict[tuple[int, str], int] = {}  # how many of the items of a text were looked at

    def knows(self, row: Foreign) -> bool:
        """Whether the row is about an item of the dataset at all."""
        return row.id in self._by_id or any(text in self._by_text for text in _texts(row))

    def take(self, row: Foreign) -> Example | None:
        """The item that a row is about, unless an earlier row was about it."""
        if row.id is not None and row.id in self._by_id:
            return self._once(self._by_id[row.id], row.repeat)
        for text in _texts(row):
            having = self._by_text.get(text, [])
            while (reached := self._reached.get((row.repeat, text), 0)) < len(having):
                self._reached[row.repeat, text] = reached + 1
                if (taken := self._once(having[reached], row.repeat)) is not None:
                    return taken
        return None

    def _once(self, example: Example, repeat: int) -> Example | None:
        if (repeat, example.item.id) in self._taken:
            return None
        self._taken.add((repeat, example.item.id))
        return example


def _texts(row: Foreign) -> tuple[str, ...]:
    return row.other_texts if row.text is None else (row.text, *row.other_texts)


def _prediction(row: Foreign, example: Example, dataset: Dataset, arm: str, *, exact: bool) -> Prediction:
    outcome, label = _as_judged(row, (Task.of(dataset), example.label), *_answer(row, dataset, exact=exact))
    return Prediction(
        example.item.id,
        outcome,
        label=label,
        score=row.score if label is not None else None,
        raw=None if row.answer == label else row.answer,
        error=row.error if outcome is Outcome.FAILED else None,
        cost_usd=row.cost_usd,
        billed_usd=0.0,  # whoever made the prediction has paid for it
        latency_s=row.latency_s,
        path=(arm,),
    )


def _answer(row: Foreign, dataset: Dataset, *, exact: bool) -> tuple[Outcome, str | None]:
    if row.outcome is not None and row.outcome is not Outcome.ANSWERED:
        return row.outcome, None
    if row.answer is None:
        return Outcome.ABSTAINED, None
    read = (_read(spelled, dataset, row.where, exact=exact) for spelled in (row.answer, *row.spellings))
    return next((found for found in read if found[0] is Outcome.ANSWERED), (Outcome.UNPARSED, None))


def _read(answer: str, dataset: Dataset, where: str, *, exact: bool) -> tuple[Outcome, str | None]:
    kind = kind_of(dataset.kind)
    if not exact:
        outcome, label = kind.parse(answer, dataset.label_names, LABEL)
        return outcome, label
    try:
        return Outcome.ANSWERED, kind.read_gold(answer.strip(), dataset.label_names, where)
    except DatasetError:
        return Outcome.UNPARSED, None


def _as_judged(
    row: Foreign, wanted: tuple[Task, str], outcome: Outcome, label: str | None
) -> tuple[Outcome, str | None]:
    """The answer as the other tool read it: one that takes `Question.` for `question`, or one that does not.

    What our parser reads as the gold label, and the other tool judged wrong, is unparsed. What it
    judged right and our parser cannot read is not made right: it is reported as judged differently.
    """
    task, gold = wanted
    is_right = task.credit(gold, label) == 1
    is_refused_there = is_right and row.was_right is False and (row.answer or "").strip() != label
    return (Outcome.UNPARSED, None) if is_refused_there else (outcome, label)


def _check(row: Mapping[str, object], columns: Columns, place: str) -> None:
    for column in columns.named:
        if column not in row:
            raise DatasetError(f"{place}: there is no column {column!r}; {one_of(column, row)}")


def _cell(row: Mapping[str, object], column: str | None, where: str) -> str | None:
    if column is None:
        return None
    cell = row[column]
    if cell is not None and not isinstance(cell, str):
        raise DatasetError(f"{where}: column {column!r} holds a list; expected one value")
    return cell


def _outcome(cell: str | None, where: str) -> Outcome | None:
    if cell is None or not cell.strip():
        return None
    try:
        return Outcome(cell.strip().lower())
    except ValueError:
        known = [outcome.value for outcome in Outcome]
        raise DatasetError(f"{where}: the outcome is {cell!r}; {one_of(cell, known)}") from None


def _number(cell: str | None, where: str, column: str | None, most: float = float("inf")) -> float | None:
    if cell is None or not cell.strip():
        return None
    try:
        value = float(cell)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most or value == float("inf"):
        upto = "" if most == float("inf") else f" to {most:g}"
        raise DatasetError(f"{where}: column {column!r} holds {cell!r}; expected a number from 0{upto}")
    return value

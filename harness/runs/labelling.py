"""New rows labelled by an arm: read a part at a time, answered, kept, and written in the order they came in.

Whatever ends it, the same call goes on from there: answers that are kept are not asked for again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from harness.datasets import part_files, streaming
from harness.datasets.cells import spelt
from harness.errors import ConfigError, DatasetError, Interrupted, one_of
from harness.runs.failures import Failures
from harness.runs.job import Job
from harness.runs.journal import COLUMNS
from harness.runs.runner import Progress, Runner
from harness.types import Item, Outcome, Prediction, Run

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.ground.clock import Clock
    from harness.ground.shards import Shard
    from harness.runs.journal import Journal
    from harness.types import Arm

CHUNK = 2048
BLANK = "the row has no text"


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a file mean; those without a meaning are an item's fields. `ignored` are none of either."""

    text: str
    id: str | None = None
    tags: str | None = None
    separator: str = "|"
    ignored: tuple[str, ...] = ()

    def item(self, number: int, where: str, row: Mapping[str, object]) -> Item:
        """The item that a row is; `DatasetError` when it has no such column of texts."""
        if self.text not in row:
            raise DatasetError(
                f"{where}: there is no column {self.text!r} to label; {one_of(self.text, row)}; name it: --text COLUMN"
            )
        named = (self.text, self.id, self.tags, *self.ignored)
        cells = {name: spelt(value) for name, value in row.items()}
        fields = {name: _plain(cell) for name, cell in cells.items() if name not in named and cell is not None}
        given = cells.get(self.id) if self.id else None
        return Item(str(given or f"row {number}"), _plain(cells[self.text]), self._tags(cells), fields)

    def _tags(self, cells: Mapping[str, str | list[str] | None]) -> tuple[str, ...]:
        cell = cells.get(self.tags) if self.tags else None
        parts = cell if isinstance(cell, list) else (cell or "").split(self.separator)
        return tuple(part.strip() for part in parts if part.strip())


@dataclass(slots=True)
class Labelled:
    """How far it is: its rows, of those that were read; those answered before, and what came of the others."""

    rows: int = 0
    read: int = 0
    before: int = 0
    blank: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    billed_usd: float | None = 0.0
    sent: int = 0
    columns: dict[str, None] = field(default_factory=dict)
    failures: Failures = field(default_factory=Failures)

    def add(self, progress: Progress) -> None:
        """Add what came of a part."""
        self.outcomes += progress.outcomes
        known = self.billed_usd is not None and progress.billed_usd is not None
        self.billed_usd = self.billed_usd + progress.billed_usd if known else None  # type: ignore[operator]
        self.sent += progress.sent
        self.failures.merge(progress.failures)


@dataclass(frozen=True, slots=True)
class Labelling:
    """Labels files with one arm. Setting `stop` ends it after what is under way; `watch` is told of every step.

    Of a `shard`, only the rows whose ids it holds; a row without an id is called `row` and its number, from 0.
    """

    arm: Arm
    run: Run
    workers: int
    clock: Clock
    stop: asyncio.Event
    watch: Callable[[Labelled], None]
    shard: Shard | None = None

    async def answer(self, source: Path, columns: Columns, journal: Journal, place: int = 0) -> Labelled:
        """Every row answered and kept, as answers of arm `place`. Raises as `Runner.run` does."""
        labelled = Labelled()
        rows = enumerate(streaming.read(source))
        while part := list(islice(rows, CHUNK)):
            if self.stop.is_set():
                raise _stopped(labelled)
            await self._part(part, columns, _Kept(journal, place), labelled)
            self.watch(labelled)
        if not labelled.read:
            raise ConfigError(f"{source} has no rows; there is nothing to label")
        return labelled

    async def _part(
        self, part: Sequence[tuple[int, streaming.Row]], columns: Columns, kept: _Kept, labelled: Labelled
    ) -> None:
        every = [(number, columns.item(number, where, row)) for number, (where, row) in part]
        held = {number for number, item in every if self.shard is None or self.shard.holds(item.id)}
        items = [(number, item) for number, item in _named_once(every) if number in held]
        for _, (_, row) in part:
            labelled.columns.update(dict.fromkeys(row))
        done = kept.journal.done(part[0][0], part[-1][0], kept.place)
        blank = [(number, _blank(item)) for number, item in items if number not in done and not item.text.strip()]
        kept.journal.write(blank, kept.place)
        todo = {item.id: number for number, item in items if number not in done and item.text.strip()}
        kept.rows = todo
        asked = tuple(item for _, item in items if item.id in todo)
        steps = _Steps(labelled, self.watch)
        try:
            await Runner(kept, self.clock, self.stop, steps.show).run(Job(self.run, self.arm, (), asked, self.workers))
        except Interrupted:
            raise _stopped(labelled, steps.last) from None
        finally:
            labelled.rows += len(items)
            labelled.read += len(part)
            labelled.before += len(done)
            labelled.blank += len(blank)
            labelled.add(steps.last)


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to a file's rows in their order: of every arm, one arm's behind the other's, called by a prefix each.

    `numbers` are the rows that are answered, of a shard; their own numbers, from 1, are a last column then.
    """

    rows: Iterator[tuple[object, ...]]
    prefixes: Sequence[str]
    numbers: Callable[[], Iterator[int]] | None = None


def finish(source: Path, to: Path, columns: Sequence[str], answers: Answers) -> dict[str, str]:
    """Write the rows with their answers; the names of the columns of answers, which a file may have had already."""
    index = [] if answers.numbers is None else [part_files.ROW]
    wanted = [*(f"{prefix}{name}" for prefix in answers.prefixes for name in COLUMNS), *index]
    names = streaming.free_names(wanted, columns)
    told = tuple(names.values())
    if answers.numbers is None:
        rows = (dict(zip(told, answer, strict=True)) for answer in answers.rows)
        streaming.write(source, to, rows, streaming.Names(columns, told))
        return names
    pairs = zip(answers.rows, answers.numbers(), strict=True)
    numbered = (dict(zip(told, (*answer, number + 1), strict=True)) for answer, number in pairs)
    streaming.write(source, to, numbered, streaming.Names(columns, told, answers.numbers()))
    return names


class _Kept:
    """A sink that keeps the answers of a part under the numbers of their rows."""

    def __init__(self, journal: Journal, place: int) -> None:
        self.journal, self.place = journal, place
        self.rows: dict[str, int] = {}

    def done(self, run_id: str) -> set[str]:  # noqa: ARG002  (the protocol's argument)
        """Nothing: only what is to be asked is handed on."""
        return set()

    def append(self, run_id: str, predictions: Sequence[Prediction]) -> None:  # noqa: ARG002
        """Keep answers."""
        self.journal.write([(self.rows[one.item_id], one) for one in predictions], self.place)


class _Steps:
    """The progress of a part, shown as that of the whole."""

    def __init__(self, labelled: Labelled, watch: Callable[[Labelled], None]) -> None:
        self._labelled, self._watch = labelled, watch
        self.last = Progress(0, 0)

    def show(self, progress: Progress) -> None:
        self.last = progress
        self._watch(self._labelled)


def _named_once(items: Sequence[tuple[int, Item]]) -> list[tuple[int, Item]]:
    """The items of a part under names that no other has: a file may name two rows alike."""
    times = Counter(item.id for _, item in items)
    return [
        (number, item if times[item.id] == 1 else Item(f"{item.id}#{number}", item.text, item.tags, item.fields))
        for number, item in items
    ]


def _blank(item: Item) -> Prediction:
    return Prediction(item.id, Outcome.ABSTAINED, error=BLANK, cost_usd=0.0, billed_usd=0.0)


def _stopped(labelled: Labelled, progress: Progress | None = None) -> Interrupted:
    n = labelled.rows + (progress.done if progress is not None else 0)
    return Interrupted(f"stopped with {n:,} rows answered; the same command goes on from there")


def _plain(cell: str | list[str] | None) -> str:
    return cell if isinstance(cell, str) else ", ".join(cell or ())

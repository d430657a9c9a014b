"""Files of new rows labelled by stored arms: which columns mean what, where the answers are kept meanwhile."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from harness.analysis import shadow
from harness.app.project import part_files, spreading
from harness.app.project.standing import Opening, run_of
from harness.arms import encoding
from harness.datasets import loading, manifest, streaming, text_files
from harness.datasets.cells import spelt
from harness.datasets.part_files import ROW
from harness.errors import ConfigError, one_of
from harness.ground import outputs
from harness.ground.spread_settings import Spread
from harness.runs import executors, labelling
from harness.runs.journal import COLUMNS, Journal
from harness.runs.labelling import Columns, Labelling

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.analysis.shadow import Shadow
    from harness.app.project.project import Project
    from harness.app.project.standing import Ready
    from harness.ground.shards import Shard
    from harness.models.stack import Asking
    from harness.runs.executors import Executor
    from harness.runs.labelling import Labelled
    from harness.store import StoredRun
    from harness.types import Arm

PROGRESS = ".progress"
PREFIXES = ("", "shadow_")
LABEL, OUTCOME, COST = (COLUMNS.index(name) for name in ("label", "outcome", "cost_usd"))


@dataclass(frozen=True, slots=True)
class Terms:
    """When a second arm may take over: at most so much less accurate, at this rate of error, by this column of gold."""

    margin: float
    alpha: float
    gold: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A file to label and where the labelled one goes; columns that are None are the dataset's own."""

    source: Path
    to: Path | None = None
    text: str | None = None
    id: str | None = None
    tags: str | None = None
    shadow: Terms | None = None
    overwrites: bool = False
    shard: Shard | None = None

    @property
    def whole(self) -> Path:
        """The labelled file of all rows: beside the other where nothing else was said."""
        return self.to or self.source.with_name(f"{self.source.stem}.labelled{self.source.suffix}")

    @property
    def target(self) -> Path:
        """The labelled file; that of a shard says which in its name."""
        return self.whole if self.shard is None else part_files.named(self.whole, self.shard)

    @property
    def journal(self) -> Path:
        """Where answers are kept until the file is whole."""
        return self.target.with_name(self.target.name + PROGRESS)

    def check(self) -> None:
        """Raise `ConfigError` or `DatasetError` where the paths cannot be."""
        if not self.source.is_file():
            raise ConfigError(f"{self.source}: there is no such file; expected one of {', '.join(streaming.FORMATS)}")
        if self.shadow is not None and self.shard is not None:
            raise ConfigError("--shadow looks at all rows in their order, and --shard labels a share; give one of them")
        streaming.check_format(self.source)
        streaming.check_format(self.target)
        if not self.target.absolute().parent.is_dir():
            raise ConfigError(f"--to {self.target}: there is no folder {self.target.parent}; make it first")
        if self.target.resolve() == self.source.resolve():
            raise ConfigError(f"--to {self.target} is the file itself; give another name")
        outputs.check_free(self.target, "--to", overwrites=self.overwrites or self.journal.exists())


@dataclass(frozen=True, slots=True)
class Predicted:
    """What came of a file: how far this invocation went, how all rows came out, and what they cost."""

    labelled: Labelled
    outcomes: Mapping[str, int]
    cost_usd: float | None
    names: Mapping[str, str]


def columns(project: Project, run: StoredRun, job: Job) -> Columns:
    """What the columns mean: as in the arm's dataset, but for what was chosen."""
    read = manifest.read(loading.find(project.workspace.root, run.dataset))
    tags = read.tags
    known = (read.text, read.label, read.id, read.group, read.splits.column, None if tags is None else tags.column)
    return Columns(
        text=job.text or read.text,
        id=job.id or read.id,
        tags=job.tags or (None if tags is None else tags.column),
        separator="|" if tags is None else tags.separator,
        ignored=tuple(name for name in known if name is not None),
    )


def ready(project: Project, runs: list[StoredRun], asking: Asking, job: Job, stack: ExitStack) -> list[Ready]:
    """The arms, their budgets those of this file; the ledger is let go when the stack is."""
    ledger = stack.enter_context(project.ledger())
    asking = replace(asking, spent_on=f"labels of {loading.file_hash(job.source)[:16]}")
    opening = Opening(project, asking, ledger)
    return [opening.ready(run) for run in runs]


async def predict(
    project: Project, arms: list[Ready], job: Job, stop: asyncio.Event, watch: Callable[[Labelled], None]
) -> tuple[list[Predicted], Shadow | None]:
    """The file labelled by the first arm, and by each further one beside it. What is kept survives any end."""
    meaning = columns(project, arms[0].run, job)
    about = {
        "file": f"sha256 {loading.file_hash(job.source)[:16]}",
        "arm": " and ".join(f"{one.run.arm} {one.run.arm_id}" for one in arms),
        "text": f"columns {meaning.text}, {meaning.tags}, {meaning.id}",
        **({} if job.shard is None else {"share": str(job.shard)}),
    }
    told = []
    _check_columns(job, meaning)
    with ExitStack() as opened:
        opened.enter_context(executors.threads(project.workspace.preferences.spread))
        journal = opened.enter_context(closing(Journal(job.journal)))
        journal.begin(about)
        executor = opened.enter_context(closing(executors.connect(_settings(project, arms))))
        for place, one in enumerate(arms):
            arm = spreading.spread(project, one, executor)
            work = Labelling(
                arm,
                run_of(one.run),
                _workers(project, one, arm, executor),
                project.clock,
                stop,
                watch,
                job.shard,
            )
            with encoding.uncached():  # a million new texts would only fill the cache
                told.append(await work.answer(job.source, meaning, journal, place))
        predicted = _finished(job, journal, told)
        if job.shard is not None:
            part_files.describe(job.target, _about(job, job.shard, predicted[0], about))
        beside = None if job.shadow is None else _beside(job, job.shadow, journal)
        if not any(one.outcomes.get("failed") for one in predicted):
            journal.remove()
    return predicted, beside


def _settings(project: Project, arms: Sequence[Ready]) -> Spread:
    """Who answers: nobody is bothered where every arm asks a model."""
    return Spread() if all(one.stacks for one in arms) else project.workspace.preferences.spread


def _workers(project: Project, one: Ready, arm: Arm, executor: Executor) -> int:
    """How many batches are answered at once."""
    if arm is not one.arm:
        return executor.workers
    workers = project.workspace.preferences.concurrency if one.model is None else one.model.workers
    return workers if arm.batch_size == 1 else 1


def _about(job: Job, shard: Shard, predicted: Predicted, about: Mapping[str, str]) -> part_files.About:
    """What the labelled file of a share says of itself."""
    return part_files.About(
        form=part_files.FORM,
        part=shard.part,
        of=shard.of,
        source={name: text for name, text in about.items() if name != "share"},
        rows=predicted.labelled.read,
        answered=predicted.labelled.rows,
        failed=predicted.outcomes.get("failed", 0),
        index=predicted.names[ROW],
        sha256=loading.file_hash(job.target),
    )


def _check_columns(job: Job, meaning: Columns) -> None:
    """Raise `ConfigError` or `DatasetError` where the first row lacks a column that is read; nothing is kept yet."""
    where, row = next(streaming.read(job.source), (str(job.source), None))
    if row is None:
        raise ConfigError(f"{job.source} has no rows; there is nothing to label")
    where = text_files.names_place(job.source, where)
    meaning.item(1, where, row)
    is_a_table = job.source.suffix.lower() not in streaming.JSON_LINES  # an object may leave a value out
    for option, name in (("--id", job.id), ("--tags", job.tags)):
        if is_a_table and name is not None and name not in row:
            raise ConfigError(f"{where}: {option} {name}: there is no such column; {one_of(name, row)}")
    if job.shadow is not None:
        _gold(row, job.shadow.gold, where)


def _beside(job: Job, terms: Terms, journal: Journal) -> Shadow:
    """The two arms over the rows that both have answered."""
    agree, old, new, saved = [], [], [], 0.0
    is_priced = True
    rows = streaming.read(job.source)
    for (where, row), first, second in zip(rows, journal.answers(0), journal.answers(1), strict=True):
        if "failed" in (first[OUTCOME], second[OUTCOME]):
            continue
        agree.append(first[LABEL] == second[LABEL])
        if first[COST] is None or second[COST] is None:
            is_priced = False
        else:
            saved += cast("float", first[COST]) - cast("float", second[COST])
        gold = _gold(row, terms.gold, text_files.names_place(job.source, where))
        if gold:
            old.append(first[LABEL] == gold)
            new.append(second[LABEL] == gold)
    right = (np.array(old, dtype=bool), np.array(new, dtype=bool))
    return shadow.shadow(np.array(agree, dtype=bool), right, saved if is_priced else None, terms.margin, terms.alpha)


def _gold(row: Mapping[str, object], column: str | None, where: str) -> str | None:
    if column is None:
        return None
    if column not in row:
        raise ConfigError(f"{where}: there is no column {column!r} of gold labels; {one_of(column, row)}")
    told = spelt(row[column])
    return told if isinstance(told, str) else None


def _finished(job: Job, journal: Journal, told: list[Labelled]) -> list[Predicted]:
    several = zip(*(journal.answers(place) for place in range(len(told))), strict=True)
    answers = (tuple(value for one in row for value in one) for row in several)
    numbers = None if job.shard is None else journal.numbers
    rows = labelling.Answers(answers, PREFIXES[: len(told)], numbers)
    names = labelling.finish(job.source, job.target, list(told[0].columns), rows)
    return [Predicted(one, *journal.counts(place), names) for place, one in enumerate(told)]

"""What a project gives to an executor's workers: arms to fit, and batches of items for stored arms to answer.

Only arms that ask no model. To answer, a worker opens the arm from the workspace's folder by its run, once.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.app.project.project import Project
from harness.app.project.standing import Opening, Ready
from harness.arms import encoding
from harness.errors import ConfigError, Interrupted
from harness.ground.clock import SystemClock
from harness.models.stack import Asking
from harness.runs import building, embedding, executors, fitting, keeping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harness.ground.workspace import Workspace
    from harness.runs.executors import Executor
    from harness.runs.job import Job
    from harness.store import StoredRun
    from harness.types import Arm, Item, Prediction


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker finds a stored arm: the workspace's folder, its store, and the arm's run."""

    workspace: Workspace
    db: str
    run: StoredRun


class SpreadArm:
    """An arm whose batches are answered by workers; a `types.Arm`."""

    def __init__(self, place: Place, executor: Executor, batch_size: int) -> None:
        self.batch_size, self._place, self._executor = batch_size, place, executor

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """It was fitted when its run was stored."""

    async def prepare(self, items: Sequence[Item]) -> None:
        """Nothing: what is slow is done by the workers."""

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, by whichever worker is free."""
        return await asyncio.wrap_future(self._executor.submit(answers, (self._place, tuple(items))))


def fitted(project: Project, jobs: Sequence[Job], tell: Callable[[str], None]) -> list[Job]:
    """The jobs, their arms fitted by the workers that the workspace names; where it names none, as they are.

    What is stored already is not fitted.
    """
    settings = project.workspace.preferences.spread
    todo = [job for job in jobs if job.model is None and job.training and not _is_stored(project, job)]
    if settings.executor is None or not todo:
        return list(jobs)
    with closing(executors.connect(settings)) as executor:
        try:
            _embed(project, todo, executor)
            if settings.executor == "inline":
                return list(jobs)
            tell(f"fitting {', '.join(dict.fromkeys(job.run.arm for job in todo))} on {executor.workers} workers ...")
            done = {job.run.id: job for job in fitting.ahead(todo, executor)}
        except KeyboardInterrupt:
            raise Interrupted("stopped while arms were fitted; the same command begins with that again") from None
    return [done.get(job.run.id, job) for job in jobs]


def _embed(project: Project, jobs: Sequence[Job], executor: Executor) -> None:
    """Compute what the cache lacks of the vectors that the arms are fitted to."""
    texts: dict[str, list[str]] = {}
    for job in jobs:
        encoder = building.encoder_of(job.run.arm, project.workspace)
        if encoder is not None:
            texts.setdefault(encoder, []).extend(example.item.words for example in job.training)
    for encoder, wanted in texts.items():
        embedding.ahead(encoder, project.workspace, wanted, executor)


def embedder(project: Project, encoder: str) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """A function from texts to vectors, through the workspace's cache; new ones are computed by its workers."""
    embed, settings = building.embed_with(encoder, project.workspace), project.workspace.preferences.spread

    def embedded(texts: Sequence[str]) -> NDArray[np.float32]:
        with closing(executors.connect(settings)) as executor:
            embedding.ahead(encoder, project.workspace, texts, executor)
        return embed(texts)

    return embed if settings.executor is None else embedded


def _is_stored(project: Project, job: Job) -> bool:
    return {item.id for item in job.items} <= project.store.done(job.run.id)


def spread(project: Project, ready: Ready, executor: Executor) -> Arm:
    """The arm by the executor's workers, where it asks no model and what it has learnt is kept; else the arm itself."""
    if executor.workers == 1 or ready.stacks or not all(_is_kept(project, leaf.run) for leaf in _leaves(ready)):
        return ready.arm
    db = project.store.name
    where = db if ":" in db and not Path(db).exists() else str(Path(db).absolute())
    return SpreadArm(Place(project.workspace, where, ready.run), executor, ready.arm.batch_size)


def _leaves(ready: Ready) -> list[Ready]:
    return [leaf for member in ready.members for leaf in _leaves(member)] if ready.members else [ready]


def _is_kept(project: Project, run: StoredRun) -> bool:
    state = keeping.kept_state(project.workspace, run)
    encoder = None if state is None else keeping.encoder_of(state)
    return state is not None and (encoder is None or embedding.is_local(encoder))


_OPENED: list[tuple[Place, Arm]] = []


def answers(task: tuple[Place, tuple[Item, ...]]) -> list[Prediction]:
    """What a worker answers; the arm is opened once."""
    place, items = task
    if not _OPENED or _OPENED[0][0] != place:
        _OPENED[:] = [(place, _opened(place))]
    with encoding.uncached():
        return asyncio.run(_predicted(_OPENED[0][1], items))


async def _predicted(arm: Arm, items: Sequence[Item]) -> list[Prediction]:
    return await arm.predict(items)


def _opened(place: Place) -> Arm:
    if not place.workspace.root.is_dir():
        raise ConfigError(f"a worker has no folder {place.workspace.root}; workers share the workspace's folder")
    project = Project(place.workspace, SystemClock(), place.db if ":" in place.db else Path(place.db))
    return Opening(project, Asking("none")).ready(place.run).arm

"""A prompt held against the one it was made of: the paired difference from the parent's latest run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import comparison
from harness.errors import ConfigError
from harness.store import STANDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.comparison import Comparison
    from harness.app.project.project import Project
    from harness.runs.job import Job
    from harness.types import Dataset


@dataclass(frozen=True, slots=True)
class BesideParent:
    """A prompt's run minus its parent's; or the reason why there is no such comparison."""

    name: str
    comparison: Comparison | None = None
    reason: str = ""


def of(project: Project, dataset: Dataset, split: str, job: Job) -> BesideParent | None:
    """The run of a prompt beside its parent's on the same model; None where the prompt names no parent."""
    if job.prompt is None or job.prompt.header.parent is None:
        return None
    version = job.prompt.header.parent.removesuffix(".j2")
    name = f"prompt:{version}"
    run_id = _latest(project, dataset, split, name, job)
    if run_id is None:
        reason = f"it has no run on these items with {job.run.model}; harness eval --prompt {version} makes one"
        return BesideParent(name, reason=reason)
    try:
        return BesideParent(name, compared(project, dataset, split, (job.run.id, run_id)))
    except ConfigError as error:
        return BesideParent(name, reason=str(error))


def _latest(project: Project, dataset: Dataset, split: str, arm: str, job: Job) -> str | None:
    """The newest run of an arm that asked what the job asks, at the same address; the whole split comes first."""
    where = project.where(dataset, split, job.run.model)
    asked = [
        run
        for run in project.store.selection().runs
        if where.holds(run) and (run.arm, run.model) == (arm, job.run.model) and run.run_id != job.run.id
        if run.purpose in STANDING and run.n_scored and run.repeat == 0
        if run.params.get("endpoint") == job.run.params.get("endpoint")
    ]
    newest = max(asked, key=lambda run: (run.is_complete, run.started_us), default=None)
    return None if newest is None else newest.run_id


def compared(
    project: Project, dataset: Dataset, split: str, names: Sequence[str], model: str | None = None
) -> Comparison:
    """The first of two runs minus the second; `ConfigError` where one is not stored, or they share no item."""
    answers = project.answers(dataset, split, names, model)
    return comparison.compare(answers[0], answers[1], np.random.default_rng(0))

"""Arms fitted by an executor's workers before their runs begin: several arms, folds and seeds at once.

All are fitted before any is run: what an item takes is measured while nobody else computes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.arms.classifier import ClassifierArm
from harness.arms.folded import FoldedArm
from harness.ground.clock import SystemClock
from harness.runs import executors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.arms.answers import Fitted
    from harness.runs.executors import Executor
    from harness.runs.job import Job
    from harness.types import Item


@dataclass(frozen=True, slots=True)
class Fitting:
    """How a classifier is made, and what it is fitted to."""

    build: Callable[[], Fitted]
    items: tuple[Item, ...]
    labels: tuple[str, ...]


def ahead(jobs: Sequence[Job], executor: Executor) -> list[Job]:
    """The jobs, those of classifiers with their arms fitted; a folded arm took as long as all of its fits."""
    lessons = [
        (place, lesson)
        for place, job in enumerate(jobs)
        if isinstance(job.arm, ClassifierArm | FoldedArm) and job.training
        for lesson in job.arm.lessons([one.item for one in job.training], [one.label for one in job.training])
    ]
    tasks = [Fitting(one.arm.build, _plain(one.items), tuple(one.labels)) for _, one in lessons]
    took: dict[int, float] = {}
    for (place, lesson), (classifier, fit_s) in zip(lessons, executors.in_order(executor, fitted, tasks), strict=True):
        lesson.arm.adopt(classifier)
        took[place] = took.get(place, 0.0) + fit_s
    return [replace(job, fit_s=took.get(place)) for place, job in enumerate(jobs)]


def _plain(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items as they pickle: those of a dataset share one empty view of no fields, which does not."""
    return tuple(replace(item, fields=dict(item.fields)) for item in items)


def fitted(task: Fitting) -> tuple[Fitted, float]:
    """The fitted classifier, and how many seconds it took."""
    clock = SystemClock()
    start_s = clock.monotonic()
    classifier = task.build()
    classifier.fit(list(task.items), list(task.labels))
    return classifier, clock.monotonic() - start_s

"""What single people reach against the gold, on the items of a split that they rated: what arms are read beside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.task import Task
from harness.stats import agreement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.types import Dataset, Estimate, Example

MOST_ANSWERS = 300  # different ones, beyond which nobody's agreement is told


@dataclass(frozen=True, slots=True)
class People:
    """The raters of a split: `n` items have answers of theirs, `values` has each metric of every rater's answers.

    A metric is taken over the items that the rater answered; it is missing for raters of whom it cannot be told.
    `agreement` is Krippendorff's alpha of the raters with each other: two answers are as far apart as one lacks credit
    where the other is gold; None for more than `MOST_ANSWERS` different ones. For kinds with classes, `disputed` are
    those of the `n_twice` items with two answers or more on which two of them differ.
    """

    raters: tuple[str, ...]
    n: int
    values: Mapping[str, tuple[float, ...]]
    agreement: Estimate | None = None
    disputed: frozenset[str] = frozenset()
    n_twice: int = 0


def people(dataset: Dataset, split: str) -> People | None:
    """Every rater's answers measured as an arm's are; None where nobody rated an item that has a gold answer."""
    rated = dataset.part(split, labelled=True, rated=True)
    if not rated:
        return None
    raters = tuple(sorted({rater for example in rated for rater in example.ratings}))
    metrics = Task.of(dataset).rules.METRICS.items()
    names = [name for name, metric in metrics if metric.needs == "answers"]
    measured = [_measured(dataset, [one for one in rated if rater in one.ratings], rater) for rater in raters]
    values = {name: tuple(one[name] for one in measured if name in one) for name in names}
    made = People(raters, len(rated), {name: known for name, known in values.items() if known})
    return _agreeing(made, rated, Task.of(dataset)) if len(raters) > 1 else made


def _agreeing(made: People, rated: Sequence[Example], task: Task) -> People:
    """With how far the raters agree among themselves."""
    codes: dict[str, int] = {}
    table = np.array(
        [
            [codes.setdefault(one.ratings[who], len(codes)) if who in one.ratings else -1 for who in made.raters]
            for one in rated
        ],
        dtype=np.int64,
    )
    twice = [one for one in rated if len(one.ratings) > 1]
    disputed = frozenset(one.item.id for one in twice if len(set(one.ratings.values())) > 1)
    if len(codes) > MOST_ANSWERS:
        return made  # every pair of answers is compared: half a second of each report for as many as that
    alpha = agreement.krippendorffs_alpha(table, np.random.default_rng(0), distances=task.distances(list(codes)))
    made = replace(made, agreement=alpha, n_twice=len(twice))
    return replace(made, disputed=disputed) if task.rules.HAS_CLASSES else made


def _measured(dataset: Dataset, rated: Sequence[Example], rater: str) -> dict[str, float]:
    """The metrics of one person's answers."""
    task, gold, given = Task.of(dataset), [one.label for one in rated], [one.ratings[rater] for one in rated]
    found = {
        name: metric.estimate(gold, given, task.labels, np.random.default_rng(0)).value
        for name, metric in task.rules.METRICS.items()
        if metric.needs == "answers"
    }
    return {name: value for name, value in found.items() if value is not None}

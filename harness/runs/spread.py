"""Fitting many classifiers at once: each worker opens the workspace itself and returns predictions.

None but the caller writes the store. A classifier's latency is not measured here: the cores are busy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import datasets
from harness.arms import answers
from harness.datasets.task import SINGLE
from harness.errors import ConfigError
from harness.runs import building, embedding, executors, folds_and_parts
from harness.runs.executors.inline import Inline
from harness.runs.executors.processes import Processes
from harness.runs.scope import Scope
from harness.types import Outcome, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.ground.workspace import Workspace
    from harness.runs.executors import Executor
    from harness.types import Dataset, Example, Item

LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many labels: in all, or of each label."""

    n: int
    is_per_class: bool = False

    def part(self, examples: Sequence[Example], seed: int, *, by_label: bool = True) -> list[Example]:
        """The examples that a seed draws; `by_label`, as frequent as in the whole, where an item has one label."""
        if not by_label:
            if self.is_per_class:
                raise ConfigError("--per-class counts items of each label; items of this dataset have no single label")
            return folds_and_parts.at_random(examples, self.n, seed)
        draw = folds_and_parts.per_class if self.is_per_class else folds_and_parts.total
        return draw(examples, self.n, seed)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the labels and the items come from."""

    workspace: Workspace
    dataset: str
    dataset_id: str
    split: str
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """One classifier to fit: an arm, how many labels, and the seed that draws them."""

    arm: str
    size: Size
    seed: int


@dataclass(frozen=True)
class _FitInputs:
    """What a process opens once and keeps."""

    workspace: Workspace
    dataset: Dataset
    training: tuple[Example, ...]
    items: Sequence[Item]


class FitPool:
    """Fits classifiers at one place with an executor; `close` ends its workers."""

    def __init__(self, place: Place, executor: Executor) -> None:
        self._place, self._executor = place, executor

    def fitted(self, fits: Sequence[Fit]) -> Iterator[tuple[Fit, list[Prediction]] | None]:
        """Each fit with its predictions, in the order in which they are done; None when none was done for a second."""
        executor = Inline() if len(fits) == 1 and isinstance(self._executor, Processes) else self._executor
        tasks = ((self._place, fit) for fit in fits)
        for done in executors.as_done(executor, fit_at, tasks, LOOK_S):
            yield None if done is None else (done[0][1], done[1])

    def embed(self, encoder: str, texts: Sequence[str]) -> None:
        """Compute the vectors that the cache lacks; the fits then find them there."""
        embedding.ahead(encoder, self._place.workspace, texts, self._executor)

    def close(self) -> None:
        """Let go of the workers; what has not begun is not done."""
        self._executor.close()


_INPUTS: list[tuple[Place, _FitInputs]] = []


def fit_at(task: tuple[Place, Fit]) -> list[Prediction]:
    """What one classifier predicts; what a place holds is read by a worker once."""
    place, fit = task
    if not _INPUTS or _INPUTS[0][0] != place:
        _INPUTS[:] = [(place, _opened(place))]
    return _predictions(_INPUTS[0][1], fit)


def _opened(place: Place) -> _FitInputs:
    dataset = datasets.load(place.workspace.root, place.dataset)
    if dataset.id != place.dataset_id:
        raise ConfigError(f"a worker finds another {place.dataset} in {place.workspace.root} than was asked for")
    scope = Scope(dataset, place.split, place.limit)
    return _FitInputs(place.workspace, dataset, scope.training(), scope.items())


def _predictions(inputs: _FitInputs, fit: Fit) -> list[Prediction]:
    part = fit.size.part(inputs.training, fit.seed, by_label=inputs.dataset.kind == SINGLE.kind)
    classifier = building.uncalibrated(fit.arm, inputs.dataset, inputs.workspace, fit.seed)
    classifier.fit([example.item for example in part], [example.label for example in part])
    said = answers.answers(classifier, list(inputs.items))
    return [_prediction(fit.arm, item, one.label) for item, one in zip(inputs.items, said, strict=True)]


def _prediction(arm: str, item: Item, label: str | None) -> Prediction:
    """Labels only: scores would have to be calibrated, by several fits more, and a curve asks who was right."""
    outcome = Outcome.ABSTAINED if label is None else Outcome.ANSWERED
    return Prediction(item.id, outcome, label=label, path=(arm,))

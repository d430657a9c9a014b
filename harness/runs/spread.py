"""Fitting many classifiers on all cores: each process opens the workspace itself and returns predictions.

Processes are spawned, never forked (onnxruntime and DuckDB have threads), and none but the caller
writes the store. A classifier's latency is not measured here: the cores are busy.
"""

from __future__ import annotations

import os
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from harness import datasets
from harness.arms import answers
from harness.datasets.task import SINGLE
from harness.errors import ConfigError
from harness.runs import building, folds_and_parts
from harness.runs.scope import Scope
from harness.types import Outcome, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.ground.workspace import Workspace
    from harness.types import Dataset, Example, Item


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
    items: tuple[Item, ...]


class FitPool:
    """Processes that fit classifiers at one place, started when there is something to fit; `close` ends them."""

    def __init__(self, place: Place, processes: int | None = None) -> None:
        self._place = place
        self._processes = processes or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None
        self._inputs: _FitInputs | None = None

    def fitted(self, fits: Sequence[Fit]) -> Iterator[tuple[Fit, list[Prediction]]]:
        """Each fit with its predictions, in the order in which they are done."""
        if self._processes == 1 or (len(fits) == 1 and self._pool is None):
            self._inputs = self._inputs or _opened(self._place)
            yield from ((fit, _predictions(self._inputs, fit)) for fit in fits)
        elif fits:
            yield from self._spread(fits)

    def close(self) -> None:
        """Let go of the processes; what has not begun is not done."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _spread(self, fits: Sequence[Fit]) -> Iterator[tuple[Fit, list[Prediction]]]:
        self._pool = self._pool or ProcessPoolExecutor(self._processes, get_context("spawn"), _enter, (self._place,))
        waiting = {self._pool.submit(_work, fit): fit for fit in fits}
        while waiting:
            done, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield waiting.pop(future), future.result()


_INPUTS: list[_FitInputs] = []


def _enter(place: Place) -> None:
    threadpool_limits(1)  # the other cores have a process of their own
    _INPUTS.append(_opened(place))


def _work(fit: Fit) -> list[Prediction]:
    return _predictions(_INPUTS[0], fit)


def _opened(place: Place) -> _FitInputs:
    dataset = datasets.load(place.workspace.root, place.dataset)
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

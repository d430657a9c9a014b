"""People's own functions and scikit-learn estimators over texts, evaluated like any arm.

A function takes a text and returns a label, or None for no answer; it may be a coroutine function.
An estimator is fitted on texts and labels of the training split; the object that was given stays as
it was.
"""

from __future__ import annotations

import asyncio
import inspect
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeGuard, runtime_checkable

import numpy as np

from harness.arms.classifier import ClassifierArm
from harness.errors import ConfigError
from harness.store.matching import Foreign

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from numpy.typing import NDArray

    from harness.ground.clock import Clock
    from harness.types import Example, Item, Prediction


@runtime_checkable
class Estimator(Protocol):
    """What of scikit-learn's interface every classifier has."""

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> object:
        """Learn."""
        ...

    def predict(self, texts: Sequence[str]) -> Sequence[str]:
        """The labels."""
        ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """What an estimator answered, and how long its fitting took, in seconds."""

    predictions: tuple[Prediction, ...]
    fit_s: float


def is_estimator(what: object) -> TypeGuard[Estimator]:
    """Whether it is an object that fits and predicts."""
    return isinstance(what, Estimator) and not inspect.isclass(what)


async def of_estimator(
    estimator: Estimator, training: Sequence[Example], items: Sequence[Item], usd_per_hour: float, clock: Clock
) -> Fitted:
    """The estimator's predictions, timed and priced like a baseline's; a confidence where it has probabilities."""
    if not training:
        raise ConfigError("the dataset has no training split, so the estimator has nothing to learn from")
    over_items = _OverItems(estimator)
    arm = ClassifierArm(type(estimator).__name__, lambda: over_items, usd_per_hour, clock)
    start_s = clock.monotonic()
    arm.fit([example.item for example in training], [example.label for example in training])
    fit_s = clock.monotonic() - start_s
    predictions = await arm.predict(items)
    if not over_items.has_probabilities:
        predictions = [replace(one, score=None, scores=None) for one in predictions]
    return Fitted(tuple(predictions), fit_s)


async def of_function(
    function: Callable[[str], str | None] | Callable[[str], Awaitable[str | None]],
    items: Sequence[Item],
    workers: int,
    clock: Clock,
) -> list[Foreign]:
    """The function's answers, with the time of each call; an exception of the function ends it."""
    turn = asyncio.Semaphore(workers)

    async def ask(item: Item) -> Foreign:
        async with turn:
            start_s = clock.monotonic()
            if inspect.iscoroutinefunction(function):
                answer = await function(item.text)
            else:
                answer = await asyncio.to_thread(function, item.text)
            waited_s = clock.monotonic() - start_s
        if answer is not None and not isinstance(answer, str):
            raise ConfigError(f"the function returned {answer!r} for item {item.id!r}; expected a label or None")
        return Foreign(f"item {item.id}", item.id, None, answer, latency_s=waited_s)

    return list(await asyncio.gather(*(ask(item) for item in items)))


class _OverItems:
    """An estimator over texts, seen as a classifier over items."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = deepcopy(estimator)
        self.has_probabilities = hasattr(estimator, "predict_proba")
        self.classes_: Sequence[str] = ()

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> object:
        self._estimator.fit([item.text for item in items], list(labels))
        self.has_probabilities = hasattr(self._estimator, "predict_proba")
        known = getattr(self._estimator, "classes_", None)
        self.classes_ = sorted(set(labels)) if known is None else [str(label) for label in known]
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        texts = [item.text for item in items]
        if self.has_probabilities:
            scores: NDArray[np.float64] = np.asarray(self._estimator.predict_proba(texts))  # type: ignore[attr-defined]
            return scores
        place = {label: i for i, label in enumerate(self.classes_)}
        chosen = np.zeros((len(texts), len(self.classes_)))
        for row, label in enumerate(self._estimator.predict(texts)):
            if str(label) in place:
                chosen[row, place[str(label)]] = 1.0
        return chosen

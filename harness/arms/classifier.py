"""Any scikit-learn classifier over items, as an arm: the one adapter for every baseline.

`predict_proba` gives the scores; a row of zeros says that the classifier abstains.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, Protocol

import numpy as np

from harness.arms import encoding
from harness.arms.portable.kept import state_of
from harness.types import Outcome, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from harness.arms.portable.kept import State
    from harness.ground.clock import Clock
    from harness.types import JSON, Item

TIMED_ITEMS = 200
KEPT_SCORES = 20


class Classifier(Protocol):
    """What of scikit-learn's classifier interface is used."""

    classes_: Sequence[str]

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> object:
        """Learn."""
        ...

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Scores, one row per item and one column per class."""
        ...


class ClassifierArm:
    """A classifier that runs on this machine.

    Labels are predicted in batches. Latency is what a caller would wait for one item alone: it is
    measured one item at a time on the first items seen (at most 200), and is unknown for the
    rest. Cost is the mean of those times at the machine's price per hour.
    The time per item in a batch is measured too, on the first batch. Neither time uses cached vectors.
    """

    batch_size = 256

    def __init__(
        self,
        name: str,
        build: Callable[[], Classifier],
        usd_per_hour: float,
        clock: Clock,
        cost_usd: float | None = None,
    ) -> None:
        """`build` makes the classifier when it is needed, which for a run that is stored is never.

        Of an arm that was measured before, `cost_usd` is what an item costs; then nothing is timed.
        """
        self._name = name
        self._build = build
        self._usd_per_s = usd_per_hour / 3600
        self._clock = clock
        self._cost_usd = cost_usd
        self._in_batch: dict[str, JSON] = {}

    @cached_property
    def _classifier(self) -> Classifier:
        return self._build()

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Fit the classifier."""
        self._classifier.fit(list(items), list(labels))

    def facts(self) -> dict[str, JSON]:
        """What the classifier found out when it was fitted, and how long an item takes in a batch."""
        return {**getattr(self.__dict__.get("_classifier"), "facts_", {}), **self._in_batch}

    @property
    def cost_usd(self) -> float | None:
        """What an item costs; None until it was measured."""
        return self._cost_usd

    def state(self) -> State | None:
        """What the classifier has learnt; None where it has no form that can be kept."""
        return state_of(self._classifier)

    async def prepare(self, items: Sequence[Item]) -> None:
        """Nothing: batches are fast already."""

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, computed on another thread."""
        return await asyncio.to_thread(self._predict, list(items))

    def _predict(self, items: list[Item]) -> list[Prediction]:
        waits: list[float | None] = [None] * len(items)
        if self._cost_usd is None:
            with encoding.uncached():
                waits, scores = self._waits(items), self._timed_batch(items)
        else:
            scores = self._classifier.predict_proba(items)
        return [self._prediction(*row) for row in zip(items, scores, waits, strict=True)]

    def _waits(self, items: list[Item]) -> list[float | None]:
        self._classifier.predict_proba(items[:1])  # the first call pays for lazy set-up
        timed: list[float] = []
        for item in items[:TIMED_ITEMS]:
            start = self._clock.monotonic()
            self._classifier.predict_proba([item])
            timed.append(self._clock.monotonic() - start)
        self._cost_usd = fmean(timed) * self._usd_per_s
        return [*timed, *[None] * (len(items) - len(timed))]

    def _timed_batch(self, items: list[Item]) -> NDArray[np.float64]:
        start_s = self._clock.monotonic()
        scores = self._classifier.predict_proba(items)
        each_s = (self._clock.monotonic() - start_s) / len(items)
        self._in_batch = {
            "batch_latency_s": each_s,
            "batch_n": len(items),
            "batch_cost_per_1000_usd": 1000 * each_s * self._usd_per_s,
        }
        return scores

    def _prediction(self, item: Item, scores: NDArray[np.float64], wait_s: float | None) -> Prediction:
        best = int(np.argmax(scores))
        answered = bool(scores[best] > 0)
        return Prediction(
            item_id=item.id,
            outcome=Outcome.ANSWERED if answered else Outcome.ABSTAINED,
            label=str(self._classifier.classes_[best]) if answered else None,
            score=float(scores[best]) if answered else None,
            scores=self._best(scores) if answered else None,
            cost_usd=self._cost_usd,
            billed_usd=self._cost_usd,
            latency_s=wait_s,
            path=(self._name,),
        )

    def _best(self, scores: NDArray[np.float64]) -> dict[str, float]:
        order = np.argsort(-scores, kind="stable")[:KEPT_SCORES]
        return {str(self._classifier.classes_[i]): round(float(scores[i]), 6) for i in order}

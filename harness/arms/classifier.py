"""Any scikit-learn classifier over items, and whatever answers them by itself, as an arm: one adapter for baselines."""

from __future__ import annotations

import asyncio
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING

from harness.arms import answers, encoding
from harness.arms.lesson import Lesson
from harness.arms.portable.kept import state_of
from harness.types import Outcome, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.arms.answers import Fitted
    from harness.arms.portable.answer import Answer
    from harness.arms.portable.kept import State
    from harness.ground.clock import Clock
    from harness.types import JSON, Item

TIMED_ITEMS = 200


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
        build: Callable[[], Fitted],
        usd_per_hour: float,
        clock: Clock,
        cost_usd: float | None = None,
    ) -> None:
        """`build` makes the classifier when it is needed, which for a run that is stored is never.

        Of an arm that was measured before, `cost_usd` is what an item costs; then nothing is timed.
        """
        self._name = name
        self.build = build
        self._usd_per_s = usd_per_hour / 3600
        self._clock = clock
        self._cost_usd = cost_usd
        self._in_batch: dict[str, JSON] = {}

    @cached_property
    def _classifier(self) -> Fitted:
        return self.build()

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Fit the classifier."""
        self._classifier.fit(list(items), list(labels))

    def lessons(self, items: Sequence[Item], labels: Sequence[str]) -> list[Lesson]:
        """The one fit that it takes."""
        return [Lesson(self, items, labels)]

    def adopt(self, classifier: Fitted) -> None:
        """Take a classifier that `build` made and that was fitted elsewhere."""
        self.__dict__["_classifier"] = classifier

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
                waits, said = self._waits(items), self._timed_batch(items)
        else:
            said = answers.answers(self._classifier, items)
        return [self._prediction(*row) for row in zip(items, said, waits, strict=True)]

    def _waits(self, items: list[Item]) -> list[float | None]:
        answers.answers(self._classifier, items[:1])  # the first call pays for lazy set-up
        timed: list[float] = []
        for item in items[:TIMED_ITEMS]:
            start = self._clock.monotonic()
            answers.answers(self._classifier, [item])
            timed.append(self._clock.monotonic() - start)
        self._cost_usd = fmean(timed) * self._usd_per_s
        return [*timed, *[None] * (len(items) - len(timed))]

    def _timed_batch(self, items: list[Item]) -> list[Answer]:
        start_s = self._clock.monotonic()
        said = answers.answers(self._classifier, items)
        each_s = (self._clock.monotonic() - start_s) / len(items)
        self._in_batch = {
            "batch_latency_s": each_s,
            "batch_n": len(items),
            "batch_cost_per_1000_usd": 1000 * each_s * self._usd_per_s,
        }
        return said

    def _prediction(self, item: Item, said: Answer, wait_s: float | None) -> Prediction:
        return Prediction(
            item_id=item.id,
            outcome=Outcome.ABSTAINED if said.label is None else Outcome.ANSWERED,
            label=said.label,
            score=said.score,
            scores=said.scores,
            cost_usd=self._cost_usd,
            billed_usd=self._cost_usd,
            latency_s=wait_s,
            path=(self._name,),
        )

"""A router: the arm that answers is chosen from the item alone, before any of them is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.arms._together import after, ask
from harness.types import Outcome, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harness.types import Arm, Item

    Foresee = Callable[[Sequence[Item]], NDArray[np.float64]]

NAME = "router"


class RouterArm:
    """Sends an item to the first arm for which enough is foreseen, or else to the last.

    `foresee` says how likely each arm but the last is to be right: a row per item, a column per arm;
    `thresholds` say how much is enough. The answer of the arm that is asked stands, whatever it is. A
    prediction costs and takes what the arm does and what routing does, `cost_usd` and `latency_s` an item.
    """

    def __init__(
        self, arms: Sequence[Arm], thresholds: Sequence[float], foresee: Foresee, cost_usd: float, latency_s: float
    ) -> None:
        if len(thresholds) != len(arms) - 1:
            raise ValueError(f"{len(arms)} arms take {len(arms) - 1} thresholds; found {len(thresholds)}")
        self._arms = tuple(arms)
        self._thresholds = tuple(thresholds)
        self._foresee = foresee
        self._cost_usd = cost_usd
        self._latency_s = latency_s
        self._places: dict[str, int] = {}

    @property
    def batch_size(self) -> int:
        """The largest of the arms' own."""
        return max(arm.batch_size for arm in self._arms)

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Every arm learns from the same items; what is foreseen was learnt before."""
        for arm in self._arms:
            arm.fit(items, labels)

    async def prepare(self, items: Sequence[Item]) -> None:
        """Choose the arm of every item; each arm sees its own items."""
        await self._route(items)
        for place, arm in enumerate(self._arms):
            mine = self._sent_to(place, items)
            if mine:
                await arm.prepare(mine)

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in the items' order."""
        await self._route([item for item in items if item.id not in self._places])
        said: dict[str, Prediction] = {}
        for place, arm in enumerate(self._arms):
            said |= await ask(arm, self._sent_to(place, items))
        for item in items:  # a file may have millions
            self._places.pop(item.id, None)
        return [after(self._toll(item), said[item.id]) for item in items]

    async def _route(self, items: Sequence[Item]) -> None:
        if not items:
            return
        foreseen = await asyncio.to_thread(self._foresee, items)
        for item, row in zip(items, foreseen, strict=True):
            enough = (place for place, least in enumerate(self._thresholds) if row[place] >= least)
            self._places[item.id] = next(enough, len(self._arms) - 1)

    def _sent_to(self, place: int, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if self._places[item.id] == place]

    def _toll(self, item: Item) -> Prediction:
        return Prediction(
            item.id,
            Outcome.ANSWERED,
            cost_usd=self._cost_usd,
            billed_usd=self._cost_usd,
            latency_s=self._latency_s,
            attempts=0,
            path=(NAME,),
        )

"""A router: who is asked is decided before anybody answers, from the item alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms._together import ask
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import Arm, Item, Prediction


class RouterArm:
    """`forecaster` says how likely the cheap arm is right; where that reaches the threshold it is asked, else `dear`.

    The forecaster is an arm whose score for `"right"` is that probability; it is not taught here (see
    `wiring`): it learns from items that neither arm has learnt from. Its cost and time are added to
    those of the one arm that is asked.
    """

    def __init__(self, forecaster: Arm, cheap: Arm, dear: Arm, threshold: float) -> None:
        self._forecaster, self._cheap, self._dear = forecaster, cheap, dear
        self._threshold = threshold

    @property
    def batch_size(self) -> int:
        """The largest of the arms' own."""
        return max(arm.batch_size for arm in (self._forecaster, self._cheap, self._dear))

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Both arms learn from the same items."""
        self._cheap.fit(items, labels)
        self._dear.fit(items, labels)

    async def prepare(self, items: Sequence[Item]) -> None:
        """The forecaster alone: nobody knows yet which arm will see which item."""
        await self._forecaster.prepare(items)

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in the items' order."""
        forecasts = await ask(self._forecaster, items)
        easy = [item for item in items if right_probability(forecasts[item.id]) >= self._threshold]
        known = {item.id for item in easy}
        hard = [item for item in items if item.id not in known]
        said: dict[str, Prediction] = {}
        for arm, asked in ((self._cheap, easy), (self._dear, hard)):
            if asked:
                await arm.prepare(asked)
                said |= await ask(arm, asked)
        return [said[item.id].after(forecasts[item.id]) for item in items]


RIGHT, WRONG = "right", "wrong"


def right_probability(forecast: Prediction) -> float:
    """How likely the cheap arm is right; 0 where the forecaster has no answer."""
    if forecast.outcome is not Outcome.ANSWERED:
        return 0.0
    if forecast.scores is not None:
        return forecast.scores.get(RIGHT, 0.0)
    score = 1.0 if forecast.score is None else forecast.score
    return score if forecast.label == RIGHT else 1.0 - score

"""A cascade: the first arm that is sure enough answers; each that is not passes the item on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arms._together import after, ask
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import Arm, Item, Prediction


def is_sure(prediction: Prediction, threshold: float) -> bool:
    """Whether an answer stands: its score reaches the threshold. An answer without a score counts as 1."""
    if prediction.outcome is not Outcome.ANSWERED:
        return False
    return (1.0 if prediction.score is None else prediction.score) >= threshold


class CascadeArm:
    """Stages, cheapest first, and a threshold for each but the last, whose answer always stands.

    What abstained, was refused or could not be read goes on. A failed item does not: what the
    cascade would have said is not known, so it is asked again later, from the start. A prediction
    costs and takes what all its stages cost and took; `path` names them.
    """

    def __init__(self, stages: Sequence[Arm], thresholds: Sequence[float]) -> None:
        if len(thresholds) != len(stages) - 1:
            raise ValueError(f"{len(stages)} stages take {len(stages) - 1} thresholds; found {len(thresholds)}")
        self._stages = tuple(stages)
        self._thresholds = tuple(thresholds)

    @property
    def batch_size(self) -> int:
        """The largest of the stages' own."""
        return max(stage.batch_size for stage in self._stages)

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Every stage learns from the same items."""
        for stage in self._stages:
            stage.fit(items, labels)

    async def prepare(self, items: Sequence[Item]) -> None:
        """The first stage alone: nobody knows yet which items the others will see."""
        await self._stages[0].prepare(items)

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in the items' order."""
        said: dict[str, Prediction] = {}
        going = list(items)
        for number, stage in enumerate(self._stages):
            if number and going:
                await stage.prepare(going)
            found = await ask(stage, going)
            said |= {i: after(said[i], p) if i in said else p for i, p in found.items()}
            if number < len(self._thresholds):
                going = [item for item in going if self._goes_on(found[item.id], self._thresholds[number])]
        return [said[item.id] for item in items]

    @staticmethod
    def _goes_on(prediction: Prediction, threshold: float) -> bool:
        return prediction.outcome is not Outcome.FAILED and not is_sure(prediction, threshold)

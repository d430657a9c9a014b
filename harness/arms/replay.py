"""An arm that says again what it has said before: stored predictions, asked of nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.types import Item, Prediction


class ReplayArm:
    """Predictions by item id. They cost what they cost then, and this run is billed nothing."""

    batch_size = 4096

    def __init__(self, name: str, predictions: Mapping[str, Prediction]) -> None:
        self._name = name
        self._predictions = predictions

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Nothing: it has learnt what it knows."""

    async def prepare(self, items: Sequence[Item]) -> None:
        """Nothing: it knows its answers."""

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """The stored predictions; `ConfigError` names an item that has none."""
        return [self._again(item) for item in items]

    def _again(self, item: Item) -> Prediction:
        found = self._predictions.get(item.id)
        if found is None:
            raise ConfigError(f"{self._name} has no stored prediction for item {item.id!r}")
        return replace(found, billed_usd=0.0, cached=True)

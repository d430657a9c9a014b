"""When a paid run has asked enough: as soon as it is clear which of two arms is the better one. Pure.

The run's items come in an order that does not depend on the answers (see `shuffled`), and are looked at
in that order, however the replies overtake each other. The e-process of `stats.sequential` keeps the
chance of a false alarm at alpha over all looks together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.datasets.task import SINGLE, Task
from harness.ground.ids import unit_interval
from harness.stats.sequential import Race

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.types import Item, Prediction


@dataclass(frozen=True, slots=True)
class Reference:
    """The arm that a run is held against: its credit by item (None: it failed), the gold labels, and the task.

    `chosen_from` is the number of arms it was picked from for being the best: picked on the same items it
    looks better than it is, so each of them has its part of alpha (Bonferroni).
    """

    arm: str
    credit: Mapping[str, float | None]
    gold: Mapping[str, str]
    chosen_from: int = 1
    task: Task = SINGLE


class EarlyStop:
    """Looks at a run's predictions and knows when no more are needed."""

    def __init__(self, order: Sequence[str], reference: Reference, alpha: float = 0.05) -> None:
        self.reference = reference
        self.alpha = alpha / reference.chosen_from
        self.race = Race()
        self._order = order
        self._next = 0
        self._waiting: dict[str, Prediction] = {}

    @property
    def is_over(self) -> bool:
        """Whether the better arm is known."""
        return self.race.leader(self.alpha) is not None

    def notice(self, prediction: Prediction) -> None:
        """Look at one more prediction, once all before it in the order have come; after the end nothing changes."""
        self._waiting[prediction.item_id] = prediction
        while not self.is_over and self._next < len(self._order) and self._order[self._next] in self._waiting:
            self._look(self._waiting.pop(self._order[self._next]))
            self._next += 1

    def _look(self, prediction: Prediction) -> None:
        theirs = self.reference.credit.get(prediction.item_id)
        mine = self.reference.task.credit_of(self.reference.gold[prediction.item_id], prediction)
        if theirs is None or mine is None:
            return  # an outage says nothing about either
        self.race = self.race.after(mine, theirs)


def shuffled(items: Sequence[Item]) -> tuple[Item, ...]:
    """The items in an order that says nothing about them: by the hash of their ids, the same every time."""
    return tuple(sorted(items, key=lambda item: unit_interval("order", item.id)))

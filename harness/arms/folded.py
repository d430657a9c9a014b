"""An arm that is fitted once for each fold, so that few labels can be both learnt from and scored.

Every item is predicted by a fit that has not seen it, nor anything of its group (k-fold
cross-validation, Stone 1974).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.arms import _together
from harness.types import Arm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.arms.lesson import Lesson
    from harness.types import JSON, Item, Prediction


class Fitted(Arm, Protocol):
    """An arm that says what it found out when it was fitted."""

    def facts(self) -> dict[str, JSON]:
        """What it found out."""
        ...

    def lessons(self, items: Sequence[Item], labels: Sequence[str]) -> list[Lesson]:
        """What is fitted to what, when it is fitted to these."""
        ...


class FoldedArm:
    """As many arms as there are folds; `fold_of` names the fold of every item that is learnt from, by its id.

    Any other item no fit has seen, so it is the first one's.
    """

    def __init__(self, arms: Sequence[Fitted], fold_of: Mapping[str, int]) -> None:
        self._arms = arms
        self._fold_of = fold_of
        self.batch_size = arms[0].batch_size

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Fit each arm to the items outside its fold."""
        for lesson in self.lessons(items, labels):
            lesson.arm.fit(lesson.items, lesson.labels)

    def lessons(self, items: Sequence[Item], labels: Sequence[str]) -> list[Lesson]:
        """Each arm with the items outside its fold."""
        found = []
        for fold, arm in enumerate(self._arms):
            learnt = [pair for pair in zip(items, labels, strict=True) if self._fold_of[pair[0].id] != fold]
            found += arm.lessons([item for item, _ in learnt], [label for _, label in learnt])
        return found

    def facts(self) -> dict[str, JSON]:
        """What the first of them found out; the others are like it."""
        return self._arms[0].facts()

    async def prepare(self, items: Sequence[Item]) -> None:
        """Each arm prepares for its own fold."""
        for fold, arm in enumerate(self._arms):
            await arm.prepare(self._of_fold(fold, items))

    async def predict(self, items: Sequence[Item]) -> list[Prediction]:
        """Each item's prediction by the arm that has not learnt from it."""
        said: dict[str, Prediction] = {}
        for fold, arm in enumerate(self._arms):
            said |= await _together.ask(arm, self._of_fold(fold, items))
        return [said[item.id] for item in items]

    def _of_fold(self, fold: int, items: Sequence[Item]) -> list[Item]:
        return [item for item in items if self._fold_of.get(item.id, 0) == fold]

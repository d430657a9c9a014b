"""What is to be fitted to what, so that it may be done elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.arms.answers import Fitted
    from harness.types import Item


class Learner(Protocol):
    """An arm whose classifier may be fitted here, or elsewhere and taken over."""

    @property
    def build(self) -> Callable[[], Fitted]:
        """Makes the classifier, not fitted; it pickles."""
        ...

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> None:
        """Fit it here."""
        ...

    def adopt(self, classifier: Fitted) -> None:
        """Take one that `build` made and that was fitted elsewhere."""
        ...


@dataclass(frozen=True, slots=True)
class Lesson:
    """An arm, and what it is to be fitted to."""

    arm: Learner
    items: Sequence[Item]
    labels: Sequence[str]

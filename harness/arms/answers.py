"""What a fitted classifier says of items: one answer each, whatever the kind of task.

scikit-learn's classifiers give a number per class, and the class with the highest is the answer. What answers
otherwise (several labels, fields, a number) says its answers itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.arms.portable.answer import of_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harness.arms.portable.answer import Answer
    from harness.types import Item


@dataclass(frozen=True, slots=True)
class KindSpec:
    """What kind of answer is wanted, and what it is made of: labels, fields or the ends of a range, described."""

    kind: str
    labels: tuple[tuple[str, str], ...] = ()


SINGLE = KindSpec("single")


class Classifier(Protocol):
    """What of scikit-learn's classifier interface is used. A row of zeros says that the classifier abstains."""

    classes_: Sequence[str]

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> object:
        """Learn."""
        ...

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """Scores, one row per item and one column per class."""
        ...


class Answering(Protocol):
    """What answers items by itself, of whatever kind."""

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> object:
        """Learn; `labels` are gold answers as canonical text."""
        ...

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """One answer per item, in the items' order."""
        ...


Fitted = Classifier | Answering


def answers(fitted: Fitted, items: Sequence[Item]) -> list[Answer]:
    """The answers of either."""
    own = getattr(fitted, "answers", None)
    if own is not None:
        said: list[Answer] = own(items)
        return said
    scores, classes = fitted.predict_proba(items), fitted.classes_  # type: ignore[union-attr]
    return [of_row(row, classes) for row in scores]

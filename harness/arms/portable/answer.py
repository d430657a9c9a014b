"""An answer to an item, whatever the kind of task, as every fitted classifier gives it.

This file goes into shipped folders as it is: it imports the standard library and numpy, nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

KEPT_SCORES = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as canonical text (None: none is given), how sure it is, and a number per name; in [0, 1]."""

    label: str | None = None
    score: float | None = None
    scores: Mapping[str, float] | None = field(default=None, hash=False)


class Readable(Protocol):
    """What a classifier sees of an item."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def text(self) -> str:
        """What it says."""
        ...

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""
        ...

    @property
    def fields(self) -> Mapping[str, str]:
        """What else is known of it, by name."""
        ...


class FittedBefore:
    """A classifier that was fitted before it was kept."""

    def fit(self, items: Sequence[Readable], labels: Sequence[str]) -> None:
        """Nothing."""

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """One answer per item, in the items' order."""
        raise NotImplementedError


def best(scores: NDArray[np.float64], names: Sequence[str]) -> dict[str, float]:
    """The highest numbers by name."""
    order = np.argsort(-scores, kind="stable")[:KEPT_SCORES]
    return {str(names[i]): round(float(scores[i]), 6) for i in order}


def of_row(scores: NDArray[np.float64], classes: Sequence[str]) -> Answer:
    """The class with the highest score; a row of zeros is no answer."""
    highest = int(np.argmax(scores))
    if not scores[highest] > 0:
        return Answer()
    return Answer(str(classes[highest]), float(scores[highest]), best(scores, classes))


def canonical(value: object) -> str:
    """The one text of an answer that has parts (`ids.canonical_json`, whose form is a contract)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

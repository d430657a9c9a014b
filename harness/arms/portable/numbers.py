"""Numbers on a scale: a ridge's or the nearest items' mean, kept in the range, and how far off it probably is.

This file goes into shipped folders as it is: beside its neighbours it imports numpy, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.arms.portable.answer import Answer, FittedBefore
from harness.arms.portable.heads import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.arms.portable.answer import Readable
    from harness.arms.portable.model import Arrays, Portable

    Numbers = NDArray[np.float64]
    Ends = tuple[float, float]


class Ridge(FittedBefore):
    """A number that is linear in the features, and a parabola over it: the error that is to be expected.

    Without a parabola nothing is known of the error.
    """

    def __init__(self, margins: Portable, ends: Ends, error: Numbers | None) -> None:
        self._margins, self._ends, self._error = margins, ends, error

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """A number each."""
        return ridge_answers(self._margins.predict_proba(items)[:, 0], self._ends, self._error)


class NearestNumbers(FittedBefore):
    """The weighted mean of the nearest known rows' numbers; sure where these lie close together."""

    def __init__(
        self, vectors: Callable[[Sequence[Readable]], NDArray[np.float32]], spec: Mapping[str, Any], known: Arrays
    ) -> None:
        """`spec` has `ends`, `k` and `temperature`; `known` the `vectors` of items and their `numbers`."""
        self._vectors, self._spec, self._known = vectors, spec, known

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """A number each."""
        if not items:
            return []
        return nearest_answers(self._vectors(items), self._known["vectors"], self._known["numbers"], self._spec)


def in_range(number: float, score: float | None, ends: Ends) -> Answer:
    """A number as an answer, kept in the range."""
    kept = round(min(max(number, ends[0]), ends[1]), 6)
    text = str(int(kept)) if kept.is_integer() else repr(kept)
    return Answer(text, None if score is None else min(max(score, 0.0), 1.0))


def placed(numbers: Numbers, ends: Ends) -> Numbers:
    """Where numbers stand in the range, from 0 to 1."""
    return np.asarray((np.clip(numbers, *ends) - ends[0]) / (ends[1] - ends[0]))


def ridge_answers(numbers: Numbers, ends: Ends, error: Numbers | None) -> list[Answer]:
    """Each number, and 1 less its expected error in units of the range: `error` over its place, lowest power first."""
    if error is None:
        return [in_range(float(number), None, ends) for number in numbers]
    places, width = placed(numbers, ends), ends[1] - ends[0]
    gaps = (error[0] + places * (error[1] + places * error[2])) / width
    return [in_range(float(number), 1 - float(gap), ends) for number, gap in zip(numbers, gaps, strict=True)]


def nearest_answers(
    vectors: NDArray[np.float32], known: NDArray[np.float32], numbers: Numbers, spec: Mapping[str, Any]
) -> list[Answer]:
    """For each row the weighted mean of its neighbours' numbers, and 1 less their spread in units of the range."""
    low, high = spec["ends"]
    found = []
    for _, others, weights in nearest(vectors, known, spec["k"], spec["temperature"]):
        number = float(weights @ numbers[others])
        spread = float(weights @ np.abs(numbers[others] - number))
        found.append(in_range(number, 1 - spread / (high - low), (low, high)))
    return found

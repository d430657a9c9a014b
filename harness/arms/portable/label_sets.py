"""Several labels per item: those whose calibrated chance reaches their threshold, with numpy alone.

This file goes into shipped folders as it is: beside its neighbours it imports numpy, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.arms.portable.answer import Answer, FittedBefore, best, canonical
from harness.arms.portable.heads import sigmoid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.arms.portable.answer import Readable
    from harness.arms.portable.model import Portable

    Numbers = NDArray[np.float64]

CLEAR = 1e-6


class LabelSets(FittedBefore):
    """What gives each label a chance, each label's logistic curve over it (centre, scale, intercept, slope) and cut."""

    def __init__(self, chances: Portable, curves: Numbers, cuts: Numbers) -> None:
        self._chances, self._curves, self._cuts = chances, curves, cuts

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """The labels of each item."""
        if not items:
            return []
        return label_sets(self._chances.predict_proba(items), self._chances.classes_, self._curves, self._cuts)


def label_sets(chances: Numbers, names: Sequence[str], curves: Numbers, cuts: Numbers) -> list[Answer]:
    """The labels of each row; how sure it is, is the F1 that the chances let expect. A row of nan has no answer."""
    is_known = np.asarray(~np.isnan(chances).any(axis=1))
    likely = on_curves(np.where(is_known[:, None], chances, 0.0), curves)
    taken = np.asarray(likely >= cuts)
    expected = expected_f1(likely, taken)
    return [
        Answer(
            canonical([names[i] for i in np.flatnonzero(taken[row]).tolist()]),
            float(expected[row]),
            best(likely[row], names),
        )
        if is_known[row]
        else Answer()
        for row in range(len(chances))
    ]


def on_curves(chances: Numbers, curves: Numbers) -> Numbers:
    """The calibrated chances, a column per label."""
    centre, scale, intercept, slope = curves.T
    return np.asarray(sigmoid(intercept + slope * (logits(chances) - centre) / scale))


def logits(chances: Numbers) -> Numbers:
    """Logarithms of the odds; chances of 0 and 1 are taken for nearly so."""
    inside = np.clip(chances, CLEAR, 1 - CLEAR)
    return np.asarray(np.log(inside / (1 - inside)))


def expected_f1(likely: Numbers, taken: NDArray[Any]) -> Numbers:
    """The F1 that chances let expect of the labels taken: twice the expected hits by the expected members.

    A ratio of expectations, close to the expected ratio; of nothing taken it is the chance that there is no label.
    """
    n, hits = taken.sum(axis=1), np.where(taken, likely, 0.0).sum(axis=1)
    none = np.exp(np.log1p(-np.minimum(likely, 1 - CLEAR)).sum(axis=1))
    ratio = np.divide(2 * hits, n + likely.sum(axis=1), out=np.zeros(len(n)), where=n > 0)
    return np.asarray(np.where(n > 0, np.clip(ratio, 0, 1), none))

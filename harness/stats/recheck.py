"""Whether a model that may answer at random has changed: old answers against new ones, new ones against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.stats

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Change:
    """Items asked again twice: `moved` differ from the old answer, `unsteady` from one new answer to the other.

    Of the three answers to an item, one alone may differ from the other two: the old one (`old_differs`) or one of the
    new ones (`new_differs`). `p_value` is one-sided and exact: if the three are exchangeable, the odd one is the old
    one in a third of such items, whatever the model's own spread (a sign test of three, as McNemar's is of two).
    """

    n: int
    moved: int
    unsteady: int
    old_differs: int
    new_differs: int
    p_value: float


def change(old: Sequence[str | None], new: Sequence[str | None], again: Sequence[str | None]) -> Change:
    """What came of it, item by item; None stands for no label."""
    olds, news, agains = (np.array([str(one) for one in answers], dtype=object) for answers in (old, new, again))
    moved = np.asarray(olds != news, dtype=bool)
    unsteady = np.asarray(news != agains, dtype=bool)
    old_differs = int((moved & ~unsteady).sum())
    new_differs = int((unsteady & ((olds == news) | (olds == agains))).sum())
    p_value = float(scipy.stats.binom.sf(old_differs - 1, old_differs + new_differs, 1 / 3))
    return Change(len(olds), int(moved.sum()), int(unsteady.sum()), old_differs, new_differs, p_value)

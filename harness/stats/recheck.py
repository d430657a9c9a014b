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

    `p_value` is one-sided and exact: if the old answer and the two new ones are exchangeable, an item that differs in
    one of the two ways alone does so by the toss of a coin (McNemar 1947).
    """

    n: int
    moved: int
    unsteady: int
    only_moved: int
    only_unsteady: int
    p_value: float


def change(old: Sequence[str | None], new: Sequence[str | None], again: Sequence[str | None]) -> Change:
    """What came of it, item by item; None stands for no label."""
    olds, news, agains = (np.array([str(one) for one in answers], dtype=object) for answers in (old, new, again))
    moved = np.asarray(olds != news, dtype=bool)
    unsteady = np.asarray(news != agains, dtype=bool)
    only_moved, only_unsteady = int((moved & ~unsteady).sum()), int((unsteady & ~moved).sum())
    tosses = only_moved + only_unsteady
    p_value = float(scipy.stats.binom.sf(only_moved - 1, tosses, 0.5)) if tosses else 1.0
    return Change(len(olds), int(moved.sum()), int(unsteady.sum()), only_moved, only_unsteady, p_value)

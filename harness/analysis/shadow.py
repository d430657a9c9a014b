"""Two arms over the same traffic: how often they differ, what the newcomer saves, and when it may take over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats import intervals, wealth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.types import Estimate

    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shadow:
    """What came of it. `differing` is the share of items on which the two say different things.

    `may_take_over_at` is the number of items after which it was shown that the newcomer is at most `margin` less
    accurate, at a rate of `alpha` however often one looks; None while it is not. With gold labels it is shown by who is
    right; without any, by how seldom the two differ at all. `saved_usd` is None where a cost is unknown.
    """

    n: int
    n_gold: int
    differing: Estimate
    only_old_right: int
    only_new_right: int
    saved_usd: float | None
    margin: float
    alpha: float
    may_take_over_at: int | None
    shown_by: str


def shadow(agree: Flags, right: tuple[Flags, Flags], saved_usd: float | None, margin: float, alpha: float) -> Shadow:
    """Two arms item by item: whether they agree; of items with a gold label, whether the old and the new are right."""
    old, new = right
    if len(old):
        differences, by = new.astype(np.float64) - old + margin, "who is right"
    else:
        differences, by = margin - (~agree).astype(np.float64), "how seldom they differ"
    at = wealth.first_alarm(wealth.mean_above(differences, margin - 1 - 1e-9), alpha)
    return Shadow(
        n=len(agree),
        n_gold=len(old),
        differing=intervals.wilson(int((~agree).sum()), len(agree)),
        only_old_right=int((old & ~new).sum()),
        only_new_right=int((new & ~old).sum()),
        saved_usd=saved_usd,
        margin=margin,
        alpha=alpha,
        may_take_over_at=at,
        shown_by=by,
    )

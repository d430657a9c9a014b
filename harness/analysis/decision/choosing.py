"""The rule itself, on arrays: which arm to serve, and whether that is decided.

Every array may have leading dimensions, so that the rule that is applied to what was seen is the very rule
that is applied to what might still be seen (`assurance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.stats import best

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.stats.pairwise import Pairwise

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Claims:
    """What is shown, whatever the failed items' answers: see `best.passed` and `best.ahead`.

    `close` [..., a, b]: a is close to b. `behind` [..., a, b]: a is worse than b by more than the margin.
    """

    close: Flags
    behind: Flags


def claims(worst: Pairwise, margin: float) -> Claims:
    """The claims that hold at the worst of the failed items: entry [a, b] of `worst` bounds a minus b from below."""
    counted = -np.swapaxes(worst.z(margin), -1, -2)
    close = best.passed(worst.z(-margin), counted)
    return Claims(close, np.swapaxes(best.ahead(worst, margin), -1, -2))


@dataclass(frozen=True)
class Terms:
    """What beside accuracy decides: the monthly `bills` (inf: unknown), what counts as a difference, a tie-break.

    Arms stand in the order of their names, which settles what nothing else does.
    """

    bills: Numbers
    usd_that_matters: float

    def is_cheaper(self, chosen: NDArray[np.int64]) -> Flags:
        """[..., arm]: which arms cost less than the chosen one by what matters."""
        mine = self.bills[chosen][..., None]
        with np.errstate(invalid="ignore"):
            saved = np.where(np.isinf(self.bills), -np.inf, mine - self.bills)
        return np.asarray((saved > 0) & (saved >= self.usd_that_matters))


@dataclass(frozen=True)
class Chosen:
    """The arm to serve and the most accurate one [...]; what is open: [..., arm].

    `better` are arms that might be better by more than the margin, `cheaper` arms that cost less and might be
    good enough; `behind` arms are shown to be worse than another by more than the margin.
    """

    arm: NDArray[np.int64]
    best: NDArray[np.int64]
    better: Flags
    cheaper: Flags
    behind: Flags


def choose(accuracy: Numbers, may: Flags, found: Claims, terms: Terms) -> Chosen:
    """The cheapest of the most accurate arm and those that are shown to be close to the best.

    Bills that differ from the lowest by less than what matters count as equal, and then accuracy decides. `may`
    says which arms may be served.
    """
    leading = _first(accuracy, may, terms.bills)
    near = (found.close | ~may[..., None, :]).all(axis=-1) & may
    acceptable = near | (np.arange(may.shape[-1]) == leading[..., None])
    bills = np.where(acceptable, terms.bills, np.inf)
    lowest = bills.min(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        is_equal = (bills == lowest) | (bills - lowest < terms.usd_that_matters)
    arm = _first(accuracy, acceptable & is_equal, terms.bills)
    better = may & ~_row(found.close, arm)
    is_behind = np.asarray((found.behind & may[..., None, :]).any(axis=-1))
    cheaper = may & ~near & ~is_behind & terms.is_cheaper(arm)
    return Chosen(arm, leading, better, cheaper, is_behind)


def _first(accuracy: Numbers, among: Flags, bills: Numbers) -> NDArray[np.int64]:
    """The most accurate of some arms; of equals the cheapest, then the first."""
    score = np.where(among, accuracy, -np.inf)
    ties = score >= score.max(axis=-1, keepdims=True) - 1e-12
    largest = np.max(bills, initial=0.0, where=np.isfinite(bills)) + 1
    return np.asarray(np.where(ties, np.minimum(bills, largest), np.inf).argmin(axis=-1))


def _row(matrices: Flags, arm: NDArray[np.int64]) -> Flags:
    return np.asarray(np.take_along_axis(matrices, arm[..., None, None], axis=-2)[..., 0, :])

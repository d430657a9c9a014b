"""What choosing between a cheap and a dear arm can be worth at most, and what chance gets.

`dear` and `cheap` hold each arm's credit per item, in [0, 1]; the accuracy is its mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def oracle_accuracy(dear: ArrayLike, cheap: ArrayLike) -> float | None:
    """The accuracy of always asking the arm with more credit: of arms that are right or wrong, (a + b + c) / n."""
    best = np.maximum(np.asarray(dear, dtype=np.float64), np.asarray(cheap, dtype=np.float64))
    return float(best.sum()) / len(best) if len(best) else None


def oracle_at(dear: ArrayLike, cheap: ArrayLike, share: float) -> float | None:
    """The most that a cascade can reach which asks the dear arm for `share` of the items, in parts of an item too."""
    gains, alone = _gains(dear, cheap), np.asarray(cheap, dtype=np.float64)
    n = len(alone)
    if not n:
        return None
    asked = min(share * n, float(len(gains)))
    whole = int(asked)
    part = (asked - whole) * gains[whole] if whole < len(gains) else 0.0
    return float(alone.sum() + gains[:whole].sum() + part) / n


def worth_of_fusion(dear: ArrayLike, cheap: ArrayLike) -> float | None:
    """How far the oracle lies above the better arm; of arms that are right or wrong, min(b, c) / n."""
    most, arms = oracle_accuracy(dear, cheap), np.array([dear, cheap], dtype=np.float64)
    return None if most is None else most - float(arms.mean(axis=1).max())


def share_for(dear: ArrayLike, cheap: ArrayLike, recovered: float = 1.0) -> float | None:
    """The least share of dear calls at which the oracle has recovered that much of the gap between the arms.

    Of arms that are right or wrong it is (b - c) / n at 1, where the oracle is as accurate as the dear arm.
    None when the dear arm is not the better one: then there is no gap.
    """
    gains = _gains(dear, cheap)
    n = len(np.asarray(dear))
    gap = recovered * float(np.sum(dear) - np.sum(cheap)) if n else 0.0
    if gap <= 0:
        return None
    reached = np.cumsum(gains)
    last = min(int(np.searchsorted(reached, gap)), len(gains) - 1)
    before = float(reached[last - 1]) if last else 0.0
    return (last + (gap - before) / float(gains[last])) / n


def _gains(dear: ArrayLike, cheap: ArrayLike) -> NDArray[np.float64]:
    """What asking the dear arm gains on the items where it gains something, the largest first."""
    gains = np.asarray(dear, dtype=np.float64) - np.asarray(cheap, dtype=np.float64)
    return -np.sort(-gains[gains > 0])


def random_accuracy(accuracies: ArrayLike, shares: ArrayLike) -> float:
    """The accuracy of a router that draws the arm by lot, each with its share: the line to beat."""
    return float(np.dot(np.asarray(shares, dtype=np.float64), np.asarray(accuracies, dtype=np.float64)))


def recovered(accuracy: float, cheap: float, dear: float) -> float | None:
    """PGR, the share of the gap between the arms that a router closes (Ong et al. 2024); None without a gap."""
    return (accuracy - cheap) / (dear - cheap) if dear > cheap else None


def mean_recovered(shares: ArrayLike, accuracies: ArrayLike) -> float | None:
    """APGR: the area under PGR against the share of dear calls (Ong et al. 2024), by trapezoids.

    The points go from no dear call to all of them. A router that draws by lot has one half.
    """
    x, y = _sorted(shares, accuracies)
    if len(x) < 2 or not y[-1] > y[0]:
        return None
    heights = (y - y[0]) / (y[-1] - y[0])
    return float(np.sum((x[1:] - x[:-1]) * (heights[1:] + heights[:-1]) / 2) / (x[-1] - x[0]))


def _sorted(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    order = np.argsort(xs, kind="stable")
    return xs[order], ys[order]

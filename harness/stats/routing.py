"""What choosing between a cheap and a dear arm can be worth at most, and what chance gets.

Tables are `paired.Table2x2` with the dear arm as a and the cheap one as b: `only_a` items need the
dear arm, `only_b` the cheap one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from harness.stats.paired import Table2x2


def oracle_accuracy(table: Table2x2) -> float | None:
    """The accuracy of always asking an arm that is right, where there is one: (a + b + c) / n."""
    return (table.n - table.neither) / table.n if table.n else None


def oracle_at(table: Table2x2, share: float) -> float | None:
    """The most that a cascade can reach which asks the dear arm for `share` of the items."""
    if not table.n:
        return None
    return (table.both + table.only_b + min(share * table.n, table.only_a)) / table.n


def worth_of_fusion(table: Table2x2) -> float | None:
    """How far the oracle lies above the better arm: min(b, c) / n. Under a point, any fusion is idle."""
    return min(table.only_a, table.only_b) / table.n if table.n else None


def share_for(table: Table2x2, recovered: float = 1.0) -> float | None:
    """The least share of dear calls at which the oracle has recovered that much of the gap between the arms.

    At 1 it is (b - c) / n, where the oracle is as accurate as the dear arm. None when the dear arm
    is not the better one: then there is no gap.
    """
    gap = table.only_a - table.only_b
    return recovered * gap / table.n if table.n and gap > 0 else None


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

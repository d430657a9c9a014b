"""How many items a paired comparison needs, and what a given number can show, before money is spent.

Everything turns on the disagreement, the share of items on which exactly one arm is right: two
arms at 90% may disagree on 4% of the items or on 18%.
"""

from __future__ import annotations

from bisect import bisect_right
from math import inf, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.stats.paired import Table2x2, Weights, mcnemar_mid_p, score

if TYPE_CHECKING:
    from collections.abc import Callable

NEGLIGIBLE = 1e-15


def needed_n(disagreement: float, difference: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The items at which McNemar's two-sided test finds the difference with this power (Connor 1987).

    Not rounded up; infinite for a difference of 0. The mid-P test meets the power asked for, the
    exact test falls 2 to 3 points short (see `true_power`).
    """
    if not abs(difference) <= disagreement <= 1:
        raise ValueError(
            f"a difference of {difference} with a disagreement of {disagreement}; "
            "arms differ by at most the share they disagree on, and that is at most 1"
        )
    if difference == 0:
        return inf
    z_alpha, z_beta = _quantiles(alpha, power)
    return (z_alpha * sqrt(disagreement) + z_beta * sqrt(disagreement - difference**2)) ** 2 / difference**2


def mde(n: int, disagreement: float, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The smallest difference that n items show with this power, `needed_n` solved for the difference.

    None when no difference within the disagreement would do: too few items.
    """
    z_alpha, z_beta = _quantiles(alpha, power)
    if n <= z_alpha**2:
        return None
    slope = z_alpha * sqrt(n) + z_beta * sqrt(n + z_beta**2 - z_alpha**2)
    difference = sqrt(disagreement) * slope / (n + z_beta**2)
    return difference if 0 < difference <= disagreement else None


def needed_n_within(
    disagreement: float, margin: float, difference: float = 0.0, alpha: float = 0.025, power: float = 0.8
) -> float:
    """The items at which Tango's one-sided test shows "no more than the margin worse" with this power.

    `difference` is the true one, candidate minus baseline. The variance at the margin is that of the
    restricted estimate which the test itself uses (Tango 1998; Nam 1997). Not rounded up; infinite where
    the candidate really is worse by the margin or more.
    """
    if not abs(difference) <= disagreement <= 1:
        raise ValueError(
            f"a difference of {difference} with a disagreement of {disagreement}; "
            "arms differ by at most the share they disagree on, and that is at most 1"
        )
    if not 0 < margin < 1:
        raise ValueError(f"a margin of {margin}; expected a share of the items between 0 and 1")
    effect = difference + margin
    if effect <= 0:
        return inf
    wins = (disagreement + difference) / 2
    _, at_margin = score(Weights(1.0, wins, disagreement - wins), -margin)
    there = sqrt(max(0.0, disagreement - difference**2))
    z_alpha, z_beta = NormalDist().inv_cdf(1 - alpha), NormalDist().inv_cdf(power)
    return ((z_alpha * at_margin + z_beta * there) / effect) ** 2


def true_power(
    n: int, p12: float, p21: float, *, test: Callable[[Table2x2], float] = mcnemar_mid_p, alpha: float = 0.05
) -> float:
    """The probability that a McNemar test has p <= alpha on n items, by adding up every table.

    `p12` and `p21` are the shares of items that only a and only b get right. With both equal it
    is the size of the test.
    """
    disagreement = p12 + p21
    if not (p12 >= 0 and p21 >= 0 and disagreement <= 1):
        raise ValueError(f"shares of {p12} and {p21}; expected two from 0 up that add up to at most 1")
    # Given m discordant items, those that only a got right are binomial.
    weights = np.diff(scipy.special.bdtr(np.arange(n + 1), n, disagreement), prepend=0.0)
    total = 0.0
    for m in np.flatnonzero(weights > NEGLIGIBLE).tolist():
        fewer = _most_uneven(test, m, n, alpha)
        if fewer >= 0:
            tails = scipy.special.bdtr(fewer, m, p12 / disagreement) + scipy.special.bdtr(fewer, m, p21 / disagreement)
            total += float(weights[m] * tails)
    return total


def _most_uneven(test: Callable[[Table2x2], float], m: int, n: int, alpha: float) -> int:
    """The most wins of the losing arm among m discordant items at which the test still rejects; -1 for never."""

    def p_value(fewer: int) -> float:
        return test(Table2x2(0, fewer, m - fewer, n - m))

    return bisect_right(range((m + 1) // 2), alpha, key=p_value) - 1


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    return NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)

"""Looking while the results come in, validly: an e-process over the pairs on which two arms differ.

It bets on the differences of credit d in [-1, 1]: with a bet l in (-1, 1) the wealth grows by 1 + l d, and a
uniform mixture of all bets is the e-value. Of arms that are right or wrong it is that of a mixture of coins.

A test that is repeated after every item raises far too many false alarms: exact McNemar, looked at
after each of 400 discordant items, has .345 of them instead of .05. The e-process here has at most
alpha of them however often it is looked at and whenever it is stopped (Ville 1939; Ramdas et al.
2023, "Game-theoretic statistics and safe anytime-valid inference", section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import exp, inf, lgamma, log
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOG_2 = log(2)


@cache
def _bets() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two hundred bets in (-1, 1) and their weights, which sum to 1: Gauss and Legendre's for the uniform mixture."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    return np.asarray(nodes), np.asarray(weights) / 2


def e_value(only_a: int, only_b: int) -> float:
    """The evidence against "the next to differ is a fair coin", after so many wins of either arm.

    A uniform mixture of all coins against the fair one: 2^(b+c) B(1+b, 1+c) with B(1, 1) = 1. Under
    the null hypothesis it is a martingale that starts at 1, so it reaches 1/alpha with probability
    at most alpha, ever.
    """
    tosses = only_a + only_b
    exponent = tosses * LOG_2 + (lgamma(1 + only_a) + lgamma(1 + only_b)) - lgamma(2 + tosses)
    return exp(exponent) if exponent < 700 else inf


@dataclass(frozen=True, slots=True)
class Race:
    """Two arms as their answers come in: who leads, and how strong the evidence has ever been.

    `after` gives the race one item later; nothing is looked at twice, and the order of the items
    must not depend on the answers.
    """

    only_a: int = 0
    only_b: int = 0
    n: int = 0
    strongest: float = 1.0
    partly: float = 0.0  # what a is ahead by, over the items that one of the two was partly right on
    wealth: tuple[float, ...] | None = None  # the logarithm of each bet's, from such items alone

    def after(self, a: float, b: float) -> Race:
        """The race once both arms' credit for one more item is known."""
        gap = float(a) - float(b)
        only_a, only_b = self.only_a + (gap == 1), self.only_b + (gap == -1)
        partly, wealth = self.partly, self.wealth
        if gap not in (-1, 0, 1):
            bets, _ = _bets()
            before = np.zeros(len(bets)) if wealth is None else np.array(wealth)
            partly, wealth = partly + gap, tuple((before + np.log1p(bets * gap)).tolist())
        evidence = e_value(only_a, only_b) if wealth is None else _mixed(only_a, only_b, wealth)
        return Race(only_a, only_b, self.n + 1, max(self.strongest, evidence), partly, wealth)

    @property
    def p_value(self) -> float:
        """The anytime-valid p: valid at every moment, also at one that was chosen for its p."""
        return min(1.0, 1.0 / self.strongest)

    def leader(self, alpha: float = 0.05) -> Literal["a", "b"] | None:
        """The better arm once the evidence has reached 1/alpha; None while it is open."""
        lead = self.only_a - self.only_b + self.partly
        if self.p_value > alpha or lead == 0:
            return None
        return "a" if lead > 0 else "b"


def _mixed(only_a: int, only_b: int, wealth: tuple[float, ...]) -> float:
    """The wealth of the mixture of bets: an average over some of them, so itself an e-value."""
    bets, weights = _bets()
    logs = np.array(wealth) + only_a * np.log1p(bets) + only_b * np.log1p(-bets)
    return float(np.exp(np.minimum(logs, 700.0)) @ weights)

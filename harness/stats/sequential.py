"""Looking while the results come in, validly: an e-process over the pairs on which two arms differ.

A test that is repeated after every item raises far too many false alarms: exact McNemar, looked at
after each of 400 discordant items, has .345 of them instead of .05. The e-process here has at most
alpha of them however often it is looked at and whenever it is stopped (Ville 1939; Ramdas et al.
2023, "Game-theoretic statistics and safe anytime-valid inference", section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, lgamma, log
from typing import Literal

LOG_2 = log(2)


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

    def after(self, a_is_right: bool, b_is_right: bool) -> Race:
        """The race once both arms' answers to one more item are known."""
        only_a = self.only_a + (a_is_right and not b_is_right)
        only_b = self.only_b + (b_is_right and not a_is_right)
        return Race(only_a, only_b, self.n + 1, max(self.strongest, e_value(only_a, only_b)))

    @property
    def p_value(self) -> float:
        """The anytime-valid p: valid at every moment, also at one that was chosen for its p."""
        return min(1.0, 1.0 / self.strongest)

    def leader(self, alpha: float = 0.05) -> Literal["a", "b"] | None:
        """The better arm once the evidence has reached 1/alpha; None while it is open."""
        if self.p_value > alpha or self.only_a == self.only_b:
            return None
        return "a" if self.only_a > self.only_b else "b"

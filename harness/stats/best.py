"""Several arms, the best of them unknown: which are shown to be close to it, which to lie behind.

Whoever looks at all arms and then picks one has made every comparison. The claims here hold for all arms
together, whichever is picked afterwards and for whatever reason.

Closeness is a statement about the one arm that truly is the best. That arm is unknown, so each takes its
turn as the control, against which all others are tested together (Hsu 1984; Edwards and Hsu 1983): an arm
is shown to be close when it is in every one of the turns, of which one is the true one. Within a turn the
tests are corrected by `shown`. What stands in `limits` are Hsu's intervals from any simultaneous ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.stats.pairwise import Pairwise

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ALPHA = 0.025
SET_ASIDE = 0.05  # of alpha, for each of the two ways in which leaving tests uncounted may go wrong


def close(pairs: Pairwise, margin: float, alpha: float = ALPHA) -> Flags:
    """Per arm, whether it is shown to be less than the margin worse than the best of the arms.

    The chance that this is said of any arm for which it is false is at most `alpha`, for any number of arms.
    """
    return np.asarray(passed(pairs.z(-margin), alpha=alpha).all(axis=-1))


def passed(z: Numbers, counted: Numbers | None = None, alpha: float = ALPHA) -> Flags:
    """[arm, control]: whether the arm is shown to be close to the control, in the control's turn; itself always.

    `z` are values [..., arm, control] against "the arm is worse than the control by the margin or more". Where
    `z` is bounded from below, `counted` is its bound from above: it says which tests are hopeless.
    """
    arms = z.shape[-1]
    others = ~np.eye(arms, dtype=np.bool_)
    if arms < 2:
        return np.asarray(np.broadcast_to(~others, z.shape))
    # A row per control: its tests against all other arms.
    turns = np.where(others, np.swapaxes(z, -1, -2), -np.inf)
    upper = turns if counted is None else np.where(others, np.swapaxes(counted, -1, -2), -np.inf)
    return np.swapaxes(_stepped(turns, upper, arms - 1, alpha), -1, -2) | ~others


def ahead(pairs: Pairwise, margin: float = 0.0, alpha: float = ALPHA) -> Flags:
    """[a, b]: whether a is shown to be better than b by more than the margin, corrected for all pairs of arms.

    Either direction of a pair counts, so that with margin 0 the chance of any false claim is 2 x `alpha`; with a
    margin only one of the two can lie at its boundary.
    """
    z = pairs.z_of_more(margin)
    arms = z.shape[-1]
    first, second = np.triu_indices(arms, 1)
    either = np.maximum(z[..., first, second], z[..., second, first])
    found = np.zeros(z.shape, dtype=np.bool_)
    if arms > 1:
        found[..., first, second] = found[..., second, first] = shown(either, alpha)
    return found & (z > 0)


def shown(z: Numbers, alpha: float = ALPHA) -> Flags:
    """Which of some one-sided tests, a family along the last axis, reject: z-values against a normal.

    Holm's (1979) step-down, in which tests that lie so far on the wrong side that no luck would make them
    reject are not counted (the two steps of Romano, Shaikh and Wolf 2014, with Bonferroni's bound in both):
    a tenth of alpha is kept for that. With one test it is the test itself.
    """
    return _stepped(z, z, z.shape[-1], alpha)


def _stepped(z: Numbers, upper: Numbers, tests: int, alpha: float) -> Flags:
    level, hopeless = _level(tests, alpha)
    counted = np.maximum((upper > hopeless).sum(axis=-1), 1)
    order = np.argsort(-z, axis=-1, kind="stable")
    left = np.maximum(counted[..., None] - np.arange(z.shape[-1]), 1)
    needed = _quantiles(z.shape[-1], level)[left]
    passed = np.logical_and.accumulate(np.take_along_axis(z, order, axis=-1) >= needed, axis=-1)
    found = np.zeros(z.shape, dtype=np.bool_)
    np.put_along_axis(found, order, passed, axis=-1)
    return found


@lru_cache(maxsize=256)
def _level(tests: int, alpha: float) -> tuple[float, float]:
    """The level of the second step, and the z below which a test is not counted.

    Such a test's true value lies, but for a chance of SET_ASIDE x alpha over all tests, so far on the wrong side
    that all of them together reject with that same chance.
    """
    if tests == 1:
        return alpha, -np.inf
    normal = NormalDist()
    far = normal.inv_cdf(1 - SET_ASIDE * alpha / tests)
    return alpha * (1 - 2 * SET_ASIDE), normal.inv_cdf(1 - alpha) - 2 * far


@lru_cache(maxsize=256)
def _quantiles(most: int, level: float) -> Numbers:
    """The z that a test needs when so many count; entry 0 is never asked for."""
    normal = NormalDist()
    return np.array([np.inf, *(normal.inv_cdf(1 - level / count) for count in range(1, most + 1))])


@dataclass(frozen=True)
class AgainstBest:
    """Per arm, its mean less the largest of the others': Hsu's interval, which has 0 at one end or between."""

    low: Numbers
    high: Numbers

    @property
    def may_be_best(self) -> Flags:
        """Which arms are not shown to be beaten by another."""
        return np.asarray(self.high > 0)


def limits(low: Numbers) -> AgainstBest:
    """Multiple comparisons with the best (Hsu 1984), from lower limits [a, b] of every arm a minus every arm b.

    `low` has to hold for all a together, for whichever b is the best: one-sided Dunnett limits with b as the
    control (Edwards and Hsu 1983), or anything wider.
    """
    arms = len(low)
    others = ~np.eye(arms, dtype=np.bool_)
    # By how much b may lead a is minus the lower limit of a minus b.
    lead = np.where(others, -np.swapaxes(low, 0, 1), np.inf).min(axis=1)
    may = lead > 0
    worst = np.array([np.min(low[a], initial=np.inf, where=may & others[a]) for a in range(arms)])
    return AgainstBest(np.where(np.isinf(worst), 0.0, np.minimum(worst, 0.0)), np.maximum(lead, 0.0))

"""Tests that may be looked at after every item: bets against the hypothesis, whose wealth cannot grow if it holds.

A wealth process is a supermartingale from 1 under its hypothesis, so it ever reaches 1 / alpha with probability at
most alpha (Ville 1939), however often somebody looks (Shafer 2021; Ramdas et al. 2023, arXiv:2210.01948).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

STAKES = np.array([0.03, 0.06, 0.12, 0.24, 0.5])
"""Shares of the largest stake that cannot ruin; about a tenth is best against a loss of ten points."""
WEIGHTS = np.array([0.1, 0.2, 0.4, 0.2, 0.1])
FIRST_START = 0.8
START_EVERY = 250
JUMP = 0.01
FEW_LEVELS = 16
SLOPES = np.array([-1.0, 0.0, 1.0])


def mean_above(differences: Numbers, least: float) -> Numbers:
    """Log wealth after each item of bets that the mean of `differences` is above 0; the hypothesis is at most 0.

    `least` is below every difference that can come (and below 0). A mixture over stakes (Waudby-Smith and Ramdas 2024,
    arXiv:2010.09686, section 4) and over the item at which the mean begins to be above 0: the first bets begin at
    once, others every `START_EVERY` items.
    """
    n = len(differences)
    if n == 0:
        return np.zeros(0)
    stakes = STAKES / -least
    steps = np.log1p(np.outer(differences, stakes))
    paths = np.cumsum(steps, axis=0)
    starts = np.arange(0, n, START_EVERY)
    total = np.full(n, -np.inf)
    shares = start_weights(len(starts))
    for start, share in zip(starts, shares, strict=True):
        before = paths[start - 1] if start else np.zeros(len(stakes))
        wealth = _log_mean(paths[start:] - before)
        total[start:] = np.logaddexp(total[start:], np.log(share) + wealth)
        if start:  # what has not begun yet is money in hand
            total[:start] = np.logaddexp(total[:start], np.log(share))
    rest = 1 - shares.sum()
    return np.asarray(np.logaddexp(total, np.log(rest)) if rest > 0 else total)


def start_weights(n: int) -> Numbers:
    """What is staked on each start: most on the first, and on all of them together less than 1, however many come."""
    later = np.arange(1, n)
    return np.concatenate([[FIRST_START], (1 - FIRST_START) / (later * (later + 1))])


def _log_mean(logs: Numbers) -> Numbers:
    greatest = logs.max(axis=1)
    return np.asarray(greatest + np.log(np.exp(logs - greatest[:, None]) @ WEIGHTS))


def conformal_p(reference: Numbers, stream: Numbers, rng: np.random.Generator) -> Numbers:
    """Smoothed conformal p-values of the stream, each among the reference and what came before it.

    Independent and uniform if all are exchangeable (Vovk, Gammerman and Shafer 2005, section 2.5). A row an item, a
    column a score: p is the share of values that are greater.
    """
    ranks = np.empty(stream.shape)
    draws = rng.random(stream.shape)
    for column in range(stream.shape[1]):
        known = np.sort(reference[:, column])
        ranks[:, column] = _p_values(known, stream[:, column], draws[:, column])
    return ranks


def _p_values(known: Numbers, values: Numbers, draws: Numbers) -> Numbers:
    """The p-values of one column, by counting in the values of the reference and of the stream so far."""
    levels, places = np.unique(np.concatenate([known, values]), return_inverse=True)
    if len(levels) <= FEW_LEVELS:
        seen = np.cumsum(places[:, None] == np.arange(len(levels)), axis=0)
        upto = np.cumsum(seen, axis=1)[np.arange(len(places)), places]
        equal = seen[np.arange(len(places)), places]
    else:
        upto, equal = _counted(places, len(levels))
    n = np.arange(1, len(places) + 1)
    return np.asarray(((n - upto)[len(known) :] + draws * equal[len(known) :]) / n[len(known) :])


def _counted(places: NDArray[np.intp], n_levels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many values up to each one's level came before it or with it, and how many of its own level."""
    counts = [0] * (n_levels + 1)  # a Fenwick tree: how many values up to each level
    same = [0] * n_levels
    upto, equal = np.empty(len(places), dtype=np.int64), np.empty(len(places), dtype=np.int64)
    for step, place in enumerate(places.tolist()):
        at = place + 1
        while at <= n_levels:
            counts[at] += 1
            at += at & -at
        same[place] += 1
        at, total = place + 1, 0
        while at:
            total += counts[at]
            at -= at & -at
        upto[step], equal[step] = total, same[place]
    return upto, equal


def jumper(p_values: Numbers) -> Numbers:
    """Log wealth after each item of bets that p-values are not uniform; a row an item, a column a process of its own.

    The simple jumper (Vovk et al. 2021, arXiv:2102.10439): stakes on small, on no and on great p-values, of which a
    hundredth changes sides at every step, so that a change that comes late is followed.
    """
    n, columns = p_values.shape
    wealth = np.full((columns, len(SLOPES)), 1 / len(SLOPES))
    logs = np.empty((n, columns))
    for step in range(n):
        wealth = (1 - JUMP) * wealth + JUMP / len(SLOPES)  # of the whole, which is 1
        wealth *= 1 + SLOPES * (p_values[step][:, None] - 0.5)
        after = wealth.sum(axis=1)
        logs[step] = np.log(after)
        wealth /= after[:, None]
    return np.asarray(np.cumsum(logs, axis=0))


def not_exchangeable(p_values: Numbers) -> Numbers:
    """Log wealth after each item of the mean of the columns' bets: one process for all of them."""
    logs = jumper(p_values)
    if not logs.size:
        return np.zeros(len(logs))
    greatest = logs.max(axis=1)
    return np.asarray(greatest + np.log(np.exp(logs - greatest[:, None]).mean(axis=1)))


def first_alarm(log_wealth: Sequence[float] | Numbers, alpha: float) -> int | None:
    """The number of items after which the wealth was 1 / alpha for the first time; None if it never was."""
    reached = np.flatnonzero(np.asarray(log_wealth) >= -np.log(alpha))
    return int(reached[0]) + 1 if len(reached) else None

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
LONGEST_BLOCK = 256
"""Of the jumper: in so many steps a wealth stays far from what a number can hold."""
SLOPES = np.array([-1.0, 0.0, 1.0])


def mean_above(differences: Numbers, least: float | Numbers) -> Numbers:
    """Log wealth after each item of bets that the mean of `differences` is above 0; the hypothesis is at most 0.

    `least` is below every difference that can come (and below 0); an array of them is known item by item before the
    difference is. A mixture over stakes (Waudby-Smith and Ramdas 2024,
    arXiv:2010.09686, section 4) and over the item at which the mean begins to be above 0: the first bets begin at
    once, others every `START_EVERY` items.
    """
    n = len(differences)
    if n == 0:
        return np.zeros(0)
    paths = np.cumsum(np.log1p(np.outer(differences / -least, STAKES)), axis=0)
    shares = start_weights(-(-n // START_EVERY))
    before = np.concatenate([np.zeros((1, len(STAKES))), paths[START_EVERY - 1 : n - 1 : START_EVERY]])
    # Bets that begin later lack what the path was until then, so one sum over the starts serves every item.
    begun = np.logaddexp.accumulate(np.log(shares)[:, None] - before, axis=0)
    in_hand = np.log(np.maximum(1 - np.cumsum(shares), 1e-300))
    which = np.arange(n) // START_EVERY
    return np.asarray(np.logaddexp(_log_mean(paths + begun[which]), in_hand[which]))


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
    """The p-values of one column, by counting in the sorted values of the reference and in the stream so far."""
    levels, places = np.unique(values, return_inverse=True)
    if len(levels) <= FEW_LEVELS:
        seen = np.cumsum(places[:, None] == np.arange(len(levels)), axis=0)
        upto = np.cumsum(seen, axis=1)[np.arange(len(places)), places]
        equal = seen[np.arange(len(places)), places]
    else:
        upto, equal = _counted(places)
    below, upto_known = np.searchsorted(known, values, side="left"), np.searchsorted(known, values, side="right")
    n = len(known) + np.arange(1, len(values) + 1)
    return np.asarray((n - upto_known - upto + draws * (equal + upto_known - below)) / n)


def _counted(places: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many values up to each one's level came before it or with it, and how many of its own level."""
    n = len(places)
    order = np.argsort(places, kind="stable")
    ranks, equal = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    ranks[order] = np.arange(n)
    sizes = np.bincount(places)
    equal[order] = np.arange(1, n + 1) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return _earlier_and_less(ranks) + 1, equal


def _earlier_and_less(ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many smaller numbers stand before each one; the numbers are different. By merging halves, all at once."""
    width = 1
    size = 1 << (len(ranks) - 1).bit_length()
    padded = np.concatenate([ranks, np.arange(len(ranks), size)])
    counts = np.zeros(size, dtype=np.int64)
    while width < size:
        order = padded.reshape(-1, 2 * width).argsort(axis=1)
        is_left = order < width
        found = np.where(is_left, 0, np.cumsum(is_left, axis=1))
        counts[(order + np.arange(0, size, 2 * width)[:, None]).ravel()] += found.ravel()
        width *= 2
    return counts[: len(ranks)]


def jumper(p_values: Numbers) -> Numbers:
    """Log wealth after each item of bets that p-values are not uniform; a row an item, a column a process of its own.

    The simple jumper (Vovk et al. 2021, arXiv:2102.10439): stakes on small, on no and on great p-values, of which a
    hundredth changes sides at every step, so that a change that comes late is followed. A step is linear in the
    stakes, so blocks of items are carried out side by side, for all of the wealth on one side, and then joined.
    """
    n, columns = p_values.shape
    length = min(int(np.sqrt(n)) + 1, LONGEST_BLOCK)
    blocks = -(-n // length)
    padded = np.concatenate([p_values, np.full((blocks * length - n, columns), 0.5)]).reshape(blocks, length, columns)
    state = np.broadcast_to(np.eye(len(SLOPES)), (blocks, columns, len(SLOPES), len(SLOPES)))
    wealth = np.empty((blocks, length, columns, len(SLOPES)))
    for step in range(length):
        jumped = state.sum(axis=-1, keepdims=True) * (JUMP / len(SLOPES))
        state = ((1 - JUMP) * state + jumped) * (1 + SLOPES * (padded[:, step, :, None, None] - 0.5))
        wealth[:, step] = state.sum(axis=-1)
    logs = np.empty((blocks, length, columns))
    sides, before = np.full((columns, len(SLOPES)), 1 / len(SLOPES)), np.zeros(columns)
    for block in range(blocks):
        logs[block] = before + np.log((wealth[block] * sides).sum(axis=-1))
        sides = (sides[:, :, None] * state[block]).sum(axis=1)
        before = logs[block, -1]
        sides /= sides.sum(axis=1, keepdims=True)
    return np.asarray(logs.reshape(-1, columns)[:n])


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

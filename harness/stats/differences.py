"""Paired differences, a minus b, of what has no table of its own: macro-F1, costs, quantiles of waiting times."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.bootstrap import f1_of_cells, f1_without_one
from harness.stats.means import mean
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

AT_ONCE = 20_000_000  # drawn numbers in memory


def macro_f1(
    gold: Sequence[str],
    a: Sequence[str | None],
    b: Sequence[str | None],
    rng: Generator,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Estimate:
    """The difference in macro-F1 of two arms' answers to the same items; BCa bootstrap over items.

    Items are drawn for both arms together. Bias-corrected and accelerated (Efron 1987), with the
    acceleration from leaving out each item in turn. None is an item without an answer.
    """
    n, method = len(gold), f"paired BCa bootstrap, {resamples:,} resamples"
    if n == 0:
        return Estimate("macro_f1", None, None, None, 0, method)
    cells, counts, width = _cells(gold, a, b)

    def difference(drawn: NDArray[np.int64]) -> NDArray[np.float64]:
        ours = f1_of_cells(drawn, cells[:, 0], cells[:, 1], width)
        return np.asarray(ours - f1_of_cells(drawn, cells[:, 0], cells[:, 2], width))

    value = float(difference(counts[None, :])[0])
    draws = np.concatenate(
        [difference(rng.multinomial(n, counts / n, size=size)) for size in _sizes(resamples, len(counts))]
    )
    # Leaving out an item is one less in its cell; as many items give that value as the cell holds.
    less = [f1_without_one(counts, cells[:, 0], cells[:, arm], width) for arm in (1, 2)]
    one_less = less[0] - less[1]
    low, high = bca_limits(value, draws, one_less, counts, confidence)
    return Estimate("macro_f1", value, low, high, n, method)


def bca_limits(
    value: float,
    draws: NDArray[np.float64],
    left_out: NDArray[np.float64],
    weights: NDArray[np.int64],
    confidence: float,
) -> tuple[float, float]:
    """The bias-corrected and accelerated limits (Efron 1987; Efron and Tibshirani 1993, chapter 14).

    `draws` are the statistic's resampled values, `left_out` its values without one item, each standing for
    `weights` items. Draws that are all the same give that value twice.
    """
    if np.ptp(draws) == 0:
        return float(draws[0]), float(draws[0])
    normal = NormalDist()
    # Half of the ties count as below, so that a discrete statistic has no bias by being discrete.
    below = (np.mean(draws < value) + np.mean(draws <= value)) / 2
    bias = normal.inv_cdf(min(max(float(below), 0.5 / len(draws)), 1 - 0.5 / len(draws)))
    gaps = np.average(left_out, weights=weights) - left_out
    spread = float(np.sum(weights * gaps**2))
    acceleration = float(np.sum(weights * gaps**3)) / (6 * spread**1.5) if spread > 0 else 0.0

    def level(share: float) -> float:
        z = bias + normal.inv_cdf(share)
        return normal.cdf(bias + z / (1 - acceleration * z))

    tail = (1 - confidence) / 2
    low, high = np.quantile(draws, [level(tail), level(1 - tail)])
    return float(low), float(high)


def cost_per_1000(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """The difference in mean cost by 1,000 items, with Student's interval of a paired mean; unknown when a cost is."""
    gaps = 1000 * (np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64))
    return mean(gaps, name="cost_per_1000_usd", confidence=confidence)


def quantile(
    a: ArrayLike, b: ArrayLike, share: float, rng: Generator, *, resamples: int = 2000, confidence: float = 0.95
) -> Estimate:
    """The difference of a quantile of two arms' times on the same items; percentile bootstrap over items."""
    mine, theirs = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    name, n = f"p{share * 100:g}_s", len(mine)
    method = f"paired percentile bootstrap, {resamples:,} resamples"
    if n == 0:
        return Estimate(name, None, None, None, 0, method)
    draws = []
    for size in _sizes(resamples, n):
        items = rng.integers(n, size=(size, n))
        draws.append(np.quantile(mine[items], share, axis=1) - np.quantile(theirs[items], share, axis=1))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(draws), [tail, 1 - tail])
    value = float(np.quantile(mine, share) - np.quantile(theirs, share))
    return Estimate(name, value, float(low), float(high), n, method)


def _cells(
    gold: Sequence[str], a: Sequence[str | None], b: Sequence[str | None]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The distinct (gold, a, b) as codes, how often each occurs, and the number of labels; -1 is no answer."""
    said = [[label if isinstance(label, str) else None for label in labels] for labels in (gold, a, b)]
    names = sorted({label for labels in said for label in labels if label is not None})
    code = {name: number for number, name in enumerate(names)} | {None: -1}
    triples = np.array([[code[label] for label in labels] for labels in said], dtype=np.int64).T
    cells, counts = np.unique(triples, axis=0, return_counts=True)
    return cells, counts, len(names)


def _sizes(total: int, width: int) -> list[int]:
    """The total in parts whose rows of that width fit into memory."""
    step = max(1, AT_ONCE // width)
    return [min(step, total - start) for start in range(0, total, step)]

"""How far people agree who labelled the same items, beyond what chance alone would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

RESAMPLES = 1_000
TAIL = 0.025


def cohens_kappa(a: Codes, b: Codes, rng: Generator, *, resamples: int = RESAMPLES) -> Estimate:
    """Cohen's (1960) kappa of two people's labels of the same items; percentile bootstrap over items.

    1: always the same; 0: as often as chance would have it. None where both always give one and the same label.
    """
    first, second = np.asarray(a, dtype=np.int64), np.asarray(b, dtype=np.int64)
    width = int(max(first.max(initial=0), second.max(initial=0))) + 1

    def kappa(rows: Codes) -> float | None:
        x, y = first[rows], second[rows]
        observed = float((x == y).mean())
        expected = float((np.bincount(x, minlength=width) / len(x)) @ (np.bincount(y, minlength=width) / len(y)))
        return None if expected == 1 else (observed - expected) / (1 - expected)

    return _bootstrapped("cohens_kappa", kappa, len(first), rng, resamples)


def krippendorffs_alpha(
    labels: Codes, rng: Generator, *, distances: NDArray[np.float64] | None = None, resamples: int = RESAMPLES
) -> Estimate:
    """Krippendorff's (2004, chapter 11) alpha of items x people (-1: no label); percentile bootstrap over items.

    Any number of people, and items that only some of them labelled; those that fewer than two did say nothing.
    `distances` says how far two codes are apart, 0 to itself; without it they are names, and any two are 1 apart.
    """
    given = np.asarray(labels, dtype=np.int64)
    width = int(given.max(initial=0)) + 1
    apart_by = 1 - np.eye(width) if distances is None else np.asarray(distances, dtype=np.float64)[:width, :width]
    given = given[(given >= 0).sum(axis=1) >= 2]
    counts = np.zeros((len(given), width))
    for column in given.T:
        known = column >= 0
        counts[np.flatnonzero(known), column[known]] += 1
    within = ((counts @ apart_by) * counts).sum(axis=1) / (counts.sum(axis=1) - 1)

    def alpha(rows: Codes) -> float | None:
        chosen = counts[rows]
        # How far apart the pairs within an item are, over the pairs that an item's people make.
        apart = float(within[rows].sum())
        totals, whole = chosen.sum(axis=0), float(chosen.sum())
        expected = float(totals @ apart_by @ totals)
        return None if expected == 0 else 1 - (whole - 1) * apart / expected

    return _bootstrapped("krippendorffs_alpha", alpha, len(given), rng, resamples)


def _bootstrapped(
    name: str, statistic: Callable[[Codes], float | None], n: int, rng: Generator, resamples: int
) -> Estimate:
    method = f"percentile bootstrap over items, {resamples:,} resamples"
    value = statistic(np.arange(n)) if n else None
    if value is None:
        return Estimate(name, None, None, None, n, method)
    drawn = [statistic(rng.integers(n, size=n)) for _ in range(resamples)]
    # A resample in which all have one label says nothing about agreement beyond chance.
    known = [one for one in drawn if one is not None]
    if n < 2 or len(known) < resamples / 2:
        return Estimate(name, value, None, None, n, f"{method}: too few items")
    low, high = np.quantile(known, [TAIL, 1 - TAIL])
    return Estimate(name, value, float(low), float(high), n, method)

"""The Pareto front of accuracy, cost and time, with the uncertainty of the accuracies in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

Status = Literal["front", "dominated", "open"]
CONFIDENCE = 0.95
RESAMPLES = 1000
AT_ONCE = 20_000_000  # drawn counts in memory


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an arm stands: `dominated` is the share of resamples in which another arm beats it."""

    dominated: float
    status: Status


def standings(
    right: ArrayLike,
    costs: Sequence[float | None],
    waits: Sequence[float | None],
    rng: Generator,
    *,
    clusters: ArrayLike | None = None,
    worth: ArrayLike | None = None,
) -> list[Standing]:
    """One standing per arm, from an items x arms array of scores in [0, 1] (nan: no score).

    An arm is dominated in a resample of the items where another is no less accurate, no dearer and no
    slower, and better in one of the three. An item counts by its `worth`. Items are drawn for all arms
    together, so that what they have in common cancels out. Costs and waits are taken as they are; unknown
    ones are neither better nor worse than any. Status: dominated (on the front) in 95% of the resamples,
    else open.
    """
    scores = np.asarray(right, dtype=np.float64)
    n, arms = scores.shape
    if n == 0 or arms == 0:
        return [Standing(0.0, "open") for _ in range(arms)]
    may, must_exceed = _no_worse(costs) & _no_worse(waits), ~(_better(costs) | _better(waits))
    weighed = np.ones(n) if worth is None else np.asarray(worth, dtype=np.float64)
    known, hits, counts = (
        _cells(scores, weighed) if clusters is None else _clustered(scores, weighed, np.asarray(clusters))
    )
    beaten = np.zeros((RESAMPLES, arms), dtype=np.bool_)
    step = max(1, AT_ONCE // len(counts))
    for start in range(0, RESAMPLES, step):
        drawn = rng.multinomial(int(counts.sum()), counts / counts.sum(), size=min(step, RESAMPLES - start)).astype(
            np.float64
        )
        asked = drawn @ known
        accuracy = np.divide(drawn @ hits, asked, out=np.full_like(asked, np.nan), where=asked > 0)
        # Differences of sums in another order differ in the last bits.
        for beating in range(arms):
            lead = accuracy[:, beating, None] - accuracy
            beaten[start : start + len(lead)] |= may[:, beating] & (
                lead > np.where(must_exceed[:, beating], 1e-12, -1e-12)
            )
    return [Standing(share, _status(share)) for share in beaten.mean(axis=0).tolist()]


def _cells(
    scores: NDArray[np.float64], worth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Items with the same scores in every arm are one cell: drawing cells is drawing items, and shorter."""
    rows = np.column_stack([np.where(np.isnan(scores), -1.0, scores), worth])
    found, counts = np.unique(rows, axis=0, return_counts=True)
    cells = found[:, :-1]
    known = (cells >= 0) * found[:, -1:]
    return known, known * cells, counts


def _clustered(
    scores: NDArray[np.float64], worth: NDArray[np.float64], clusters: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """How many items of each cluster have a score, the sums of those, and 1 for each cluster."""
    codes = np.unique(clusters, return_inverse=True)[1]
    known = ~np.isnan(scores) * worth[:, None]
    shape = (int(codes.max()) + 1, scores.shape[1])
    items, sums = np.zeros(shape), np.zeros(shape)
    np.add.at(items, codes, known)
    np.add.at(sums, codes, known * np.nan_to_num(scores))
    return items, sums, np.ones(shape[0], dtype=np.int64)


def _no_worse(values: Sequence[float | None]) -> NDArray[np.bool_]:
    """[i, j]: j is known to be no dearer (no slower) than i; an arm is not compared with itself."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    found = numbers[None, :] <= numbers[:, None]
    np.fill_diagonal(found, val=False)
    return np.asarray(found)


def _better(values: Sequence[float | None]) -> NDArray[np.bool_]:
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.asarray(numbers[None, :] < numbers[:, None])


def _status(dominated: float) -> Status:
    if dominated >= CONFIDENCE:
        return "dominated"
    return "front" if dominated <= 1 - CONFIDENCE else "open"

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
    resamples: int = 1000,
    confidence: float = 0.95,
) -> list[Standing]:
    """One standing per arm, from an items x arms array of scores in [0, 1] (nan: no score).

    An arm is dominated in a resample of the items where another is no less accurate, no dearer and no
    slower, and better in one of the three. Items are drawn for all arms together, so that what they have
    in common cancels out. Costs and waits are taken as they are; unknown ones are neither better nor
    worse than any. Status: dominated (on the front) in `confidence` of the resamples, else open.
    """
    scores = np.asarray(right, dtype=np.float64)
    n, arms = scores.shape
    if n == 0 or arms == 0:
        return [Standing(0.0, "open") for _ in range(arms)]
    may, must_exceed = _no_worse(costs) & _no_worse(waits), ~(_better(costs) | _better(waits))
    # Items with the same scores in every arm are one cell: drawing cells is drawing items, and shorter.
    cells, counts = np.unique(np.where(np.isnan(scores), -1.0, scores), axis=0, return_counts=True)
    known = cells >= 0
    hits, beaten = np.where(known, cells, 0.0), np.zeros((resamples, arms), dtype=np.bool_)
    step = max(1, AT_ONCE // len(cells))
    for start in range(0, resamples, step):
        drawn = rng.multinomial(n, counts / n, size=min(step, resamples - start)).astype(np.float64)
        asked = drawn @ known
        accuracy = np.divide(drawn @ hits, asked, out=np.full_like(asked, np.nan), where=asked > 0)
        # Differences of sums in another order differ in the last bits.
        for beating in range(arms):
            lead = accuracy[:, beating, None] - accuracy
            beaten[start : start + len(lead)] |= may[:, beating] & (
                lead > np.where(must_exceed[:, beating], 1e-12, -1e-12)
            )
    return [Standing(share, _status(share, confidence)) for share in beaten.mean(axis=0).tolist()]


def _no_worse(values: Sequence[float | None]) -> NDArray[np.bool_]:
    """[i, j]: j is known to be no dearer (no slower) than i; an arm is not compared with itself."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    found = numbers[None, :] <= numbers[:, None]
    np.fill_diagonal(found, val=False)
    return np.asarray(found)


def _better(values: Sequence[float | None]) -> NDArray[np.bool_]:
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.asarray(numbers[None, :] < numbers[:, None])


def _status(dominated: float, confidence: float) -> Status:
    if dominated >= confidence:
        return "dominated"
    return "front" if dominated <= 1 - confidence else "open"

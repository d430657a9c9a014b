"""The nearest training items of each item, with their weights: what the arms of similarity search share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CHUNK = 512
TIE = 1e-6


def nearest(
    vectors: NDArray[np.float32], known: NDArray[np.float32], k: int, temperature: float
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
    """For each row its number, the k nearest known rows by cosine, and their weights, exp(cosine / temperature).

    Rows have length 1, and weights add up to 1. Rows as near as the k-th count too, so the order of the known rows
    decides nothing.
    """
    k = min(k, len(known))
    for start in range(0, len(vectors), CHUNK):
        similarity = vectors[start : start + CHUNK] @ known.T
        farthest = np.partition(similarity, -k, axis=1)[:, -k]
        for offset, row in enumerate(similarity):
            others = np.flatnonzero(row >= farthest[offset] - TIE)
            votes = np.exp((row[others] - row.max()).astype(np.float64) / temperature)
            yield start + offset, others, votes / votes.sum()

"""Rows of numbers to scores per label: the last step of every classifier, with numpy alone.

This file goes into shipped folders as it is: it imports the standard library and numpy, nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

CHUNK = 512
TIE = 1e-6


def softmax(rows: NDArray[Any]) -> NDArray[Any]:
    """Shares of exp of each row, which add up to 1."""
    relative = np.exp(rows - rows.max(axis=1, keepdims=True))
    return np.asarray(relative / relative.sum(axis=1, keepdims=True))


def sigmoid(margins: NDArray[Any]) -> NDArray[Any]:
    """1 / (1 + exp(-margin)), as SciPy computes it: in single precision another form differs in the 6th digit."""
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-margins)))


def row_normalised(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that add up to 1; rows of zeros stay zeros."""
    total = scores.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(scores, total, out=np.zeros_like(scores), where=total > 0))


def softened(scores: NDArray[np.float64], temperature: float, spread: float) -> NDArray[np.float64]:
    """Scores to the power 1 / temperature, each row adding up to 1, with a share spread over all labels.

    Rows of zeros stay zeros.
    """
    highest = scores.max(axis=1, keepdims=True, initial=0.0)
    answered = highest > 0
    relative = np.divide(scores, highest, out=np.zeros_like(scores), where=answered) ** (1 / temperature)
    total = relative.sum(axis=1, keepdims=True)
    shares = np.divide(relative, total, out=np.zeros_like(scores), where=answered)
    return np.asarray(np.where(answered, (1 - spread) * shares + spread / max(scores.shape[1], 1), 0.0))


def of_margins(how: str, margins: NDArray[Any]) -> NDArray[Any]:
    """Scores of margins, a column per label; one column alone tells two labels apart.

    `how` is `softmax`, or `one_against_rest`: each label's own sigmoid, made to add up to 1. Where columns do not
    compete, it is `each` label's own sigmoid, or `raw`, the margins as they are.
    """
    if how in ("each", "raw"):
        return sigmoid(margins) if how == "each" else margins
    if margins.shape[1] == 1:
        upper = sigmoid(margins[:, 0])
        return np.column_stack([1 - upper, upper])
    return softmax(margins) if how == "softmax" else row_normalised(sigmoid(margins))


def votes(
    vectors: NDArray[np.float32], known: NDArray[np.float32], codes: NDArray[np.int64], spec: Mapping[str, Any]
) -> NDArray[np.float64]:
    """Votes of the k nearest known rows by cosine, weighted by exp(cosine / temperature). Rows have length 1.

    Rows as near as the k-th vote too, so the order of the known rows decides nothing. `spec` has `k`, `temperature`
    and `n_labels`.
    """
    scores = np.zeros((len(vectors), spec["n_labels"]))
    k = min(spec["k"], len(known))
    for start in range(0, len(vectors), CHUNK):
        similarity = vectors[start : start + CHUNK] @ known.T
        farthest = np.partition(similarity, -k, axis=1)[:, [-k]]
        rows, nearest = np.nonzero(similarity >= farthest - TIE)
        # A vote is exp(cosine / temperature), divided by the greatest so that none overflows.
        behind = (similarity.max(axis=1)[rows] - similarity[rows, nearest]).astype(np.float64)
        np.add.at(scores, (start + rows, codes[nearest]), np.exp(-behind / spec["temperature"]))
    return row_normalised(scores)


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


def nearest_centre(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    """The row of the nearest centre."""
    return np.asarray(((centres**2).sum(axis=1) - 2 * (vectors @ centres.T)).argmin(axis=1))

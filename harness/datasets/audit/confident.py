"""Confident learning: which labels are probably wrong, given out-of-sample probabilities.

Northcutt, Jiang and Chuang 2021, Confident Learning: Estimating Uncertainty in Dataset Labels
(JAIR 70), sections 3.1 and 3.3. Arrays in, arrays out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def likely_labels(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> NDArray[np.int64]:
    """The label each row confidently has, -1 where none is: equation 1 and 2 of the paper.

    A row confidently has label j when its probability of j reaches the mean probability of j over
    the rows that are labelled j; of several such labels it has the most probable one.
    `probabilities` has a row per item and a column per label code, and comes from models that did
    not see the item.
    """
    n_labels = probabilities.shape[1]
    counts = np.bincount(labels, minlength=n_labels)
    own = probabilities[np.arange(len(labels)), labels]
    sums = np.bincount(labels, weights=own, minlength=n_labels)
    thresholds = np.divide(sums, counts, out=np.full(n_labels, np.inf), where=counts > 0)
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    best = confident.argmax(axis=1)
    return np.where(confident[np.arange(len(labels)), best] >= 0, best, -1)


def margins(labels: NDArray[np.int64], probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """How much more probable the given label is than the best other one, from -1 (surely wrong) to 1."""
    rows = np.arange(len(labels))
    others = probabilities.copy()
    others[rows, labels] = -1.0
    return np.asarray(probabilities[rows, labels] - others.max(axis=1))

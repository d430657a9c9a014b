"""How often each label occurs now, from answers alone: what is known of the answers' errors is turned around.

It supposes that items of a label look as they did, and only their numbers changed (label shift).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

STEPS = 500
PRIOR = 0.5
EDGE = 1e-6
Z = 1.959963984540054


def mix(confusion: Numbers, answered: Numbers) -> Numbers:
    """The shares of the labels that make the answers most likely; they add up to 1.

    `confusion` counts answers (rows) by gold label (columns) where both were known, `answered` the answers now. The
    maximum of the likelihood by expectation and maximisation (Saerens, Latinne and Decaestecker 2002), over the
    confusion matrix as black-box shift estimation has it (Lipton, Wang and Smola 2018, arXiv:1802.03916). With
    nothing answered, the shares of the confusion matrix.
    """
    given = _given(confusion)
    shares = confusion.sum(axis=0) / max(confusion.sum(), 1.0)
    if not answered.sum():
        return np.asarray(shares)
    seen = answered / answered.sum()
    shares = np.full(confusion.shape[1], 1 / confusion.shape[1])
    for _ in range(STEPS):
        shares = shares * (given.T @ (seen / np.maximum(given @ shares, 1e-300)))
        shares /= shares.sum()
    return np.asarray(shares)


def _given(confusion: Numbers) -> Numbers:
    """How often each answer (rows) is given to items of each label (columns, which add up to 1)."""
    return np.asarray((confusion + PRIOR / len(confusion)) / (confusion.sum(axis=0) + PRIOR))


def recalls(right: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """How often each label is answered right, a rare one drawn a little to the whole; the variances of that."""
    whole = (right.sum() + 1) / (n.sum() + 2)
    drawn = (right + 2 * whole) / (n + 2)
    return drawn, drawn * (1 - drawn) / (n + 2)


def expected_accuracy(confusion: Numbers, answered: Numbers, shares: Numbers) -> Estimate:
    """The accuracy under these shares of labels (`mix` of both counts), if each label is answered as it was.

    The interval is normal, by the delta method over all that is drawn: the answers now, and the answers to each
    label's items of the reference, on which both the mix and the recalls rest.
    """
    n_by_label = confusion.sum(axis=0)
    recall, variances = recalls(confusion.diagonal()[: len(shares)], n_by_label)
    value = float(shares @ recall)
    variance = _variance(confusion, answered, shares, recall) if answered.sum() else float((shares**2) @ variances)
    reach = Z * float(np.sqrt(variance))
    method = "recall of each label, weighted by the estimated mix; normal interval, delta method"
    low, high = max(value - reach, 0.0), min(value + reach, 1.0)
    return Estimate("expected accuracy", value, low, high, int(n_by_label.sum()), method)


def _variance(confusion: Numbers, answered: Numbers, shares: Numbers, recall: Numbers) -> float:
    """Of the recalls weighted by the estimated shares; labels whose share is 0 are on the edge and stay there."""
    there = np.flatnonzero(shares > EDGE)
    given = _given(confusion)[:, there]
    seen = given @ shares[there]
    weighted = given / np.maximum(seen, 1e-300)[:, None]
    # What a count more of each answer adds, by way of the shares (the maximum of the likelihood is there linear).
    moves = weighted @ np.linalg.pinv(given.T @ weighted) @ recall[there]
    now = (moves**2 @ seen - (moves @ seen) ** 2) / answered.sum()
    own = (np.arange(len(given))[:, None] == there) - moves[:, None]
    spread = np.maximum((own**2 * given).sum(axis=0) - (own * given).sum(axis=0) ** 2, 0.0)
    return float(now + (shares[there] ** 2) @ (spread / (confusion.sum(axis=0)[there] + PRIOR)))

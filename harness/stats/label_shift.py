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
Z = 1.959963984540054


def mix(confusion: Numbers, answered: Numbers) -> Numbers:
    """The shares of the labels that make the answers most likely; they add up to 1.

    `confusion` counts answers (rows) by gold label (columns) where both were known, `answered` the answers now. The
    maximum of the likelihood by expectation and maximisation (Saerens, Latinne and Decaestecker 2002), over the
    confusion matrix as black-box shift estimation has it (Lipton, Wang and Smola 2018, arXiv:1802.03916). With
    nothing answered, the shares of the confusion matrix.
    """
    given = (confusion + PRIOR / len(confusion)) / (confusion.sum(axis=0) + PRIOR)
    shares = confusion.sum(axis=0) / max(confusion.sum(), 1.0)
    if not answered.sum():
        return np.asarray(shares)
    seen = answered / answered.sum()
    shares = np.full(confusion.shape[1], 1 / confusion.shape[1])
    for _ in range(STEPS):
        shares = shares * (given.T @ (seen / np.maximum(given @ shares, 1e-300)))
        shares /= shares.sum()
    return np.asarray(shares)


def recalls(right: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """How often each label is answered right, a rare one drawn a little to the whole; the variances of that."""
    whole = (right.sum() + 1) / (n.sum() + 2)
    drawn = (right + 2 * whole) / (n + 2)
    return drawn, drawn * (1 - drawn) / (n + 2)


def expected_accuracy(shares: Numbers, right: Numbers, n: Numbers) -> Estimate:
    """The accuracy under these shares of labels, if each label is answered right as often as it was."""
    drawn, variances = recalls(right, n)
    value = float(shares @ drawn)
    reach = Z * float(np.sqrt((shares**2) @ variances))
    method = "recall of each label, weighted by the estimated mix; normal interval"
    return Estimate("expected accuracy", value, max(value - reach, 0.0), min(value + reach, 1.0), int(n.sum()), method)

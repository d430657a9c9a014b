"""What the gold answer of an item probably is, guessed from what all arms answer.

An item's candidates are the answers that any arm gives. How probable each is follows from who gives it and how sure
they are: a conditional logit (McFadden 1974) with a weight an arm, learnt from the few labelled items and drawn
towards one weight for all, since few labels can tell only a few arms apart. Whatever no arm names shares the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

PULL = 2.0  # towards one weight for all arms, in squared weights
LOOSE = 0.05  # towards 0, of the weights that all arms share
CERTAIN = 0.999


@dataclass(frozen=True)
class Votes:
    """Items x runs: the code of each answer (-1: none) and how sure the arm was (nan: it did not say).

    Codes are of the distinct answers of the whole; `n_answers` is how many there could be. `arms` has each run's arm,
    by number; None where an arm has one run. Runs of one arm share its vote.
    """

    answers: NDArray[np.int64]
    scores: Numbers
    n_answers: int
    arms: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Posterior:
    """Of each item, the probability of every candidate: items x candidates, codes -1 where there are fewer."""

    candidates: NDArray[np.int64]
    probability: Numbers

    def of(self, answers: NDArray[np.int64]) -> Numbers:
        """How probable an arm's answers are, item by item; 0 where it gave none."""
        hit = (self.candidates == answers[:, None]) & (answers[:, None] >= 0)
        return np.asarray((self.probability * hit).sum(axis=1))


def cross_fitted(votes: Votes, rows: NDArray[np.int64], gold: NDArray[np.int64], folds: NDArray[np.int64]) -> Posterior:
    """The posterior of all items: of a labelled one by a fit that has not seen its label nor its fold's.

    `rows` are the labelled items, `gold` their codes (one that no arm names: any code above all answers'), `folds`
    a number for each: items of one group belong into one fold. An unlabelled item has the mean over the fits.
    """
    features = _features(votes)
    every: dict[int, Numbers] = {}
    for fold in map(int, np.unique(folds)):
        learnt = folds != fold
        weights = _fit(features, rows[learnt], gold[learnt])
        every[fold] = _probabilities(features, weights)
    if not every:
        return Posterior(features.candidates, _probabilities(features, _fit(features, rows, gold)))
    probability = np.mean(list(every.values()), axis=0)
    for fold, by_its_fit in every.items():
        held = rows[folds == fold]
        probability[held] = by_its_fit[held]
    return Posterior(features.candidates, probability)


@dataclass(frozen=True)
class _Features:
    """Items x candidates: its code, items x candidates x arms: the vote for it; and how many answers nobody named."""

    candidates: NDArray[np.int64]
    votes: Numbers
    unnamed: Numbers


def _features(votes: Votes) -> _Features:
    n, runs = votes.answers.shape
    of_arm = np.arange(runs) if votes.arms is None else votes.arms
    ordered = np.sort(votes.answers, axis=1)
    is_new = np.concatenate([np.ones((n, 1), dtype=bool), np.diff(ordered, axis=1) != 0], axis=1) & (ordered >= 0)
    most = max(1, int(is_new.sum(axis=1).max(initial=1)))
    candidates = np.full((n, most), -1)
    place = np.cumsum(is_new, axis=1) - 1
    rows, columns = np.nonzero(is_new)
    candidates[rows, place[rows, columns]] = ordered[rows, columns]
    sure = np.clip(np.where(np.isnan(votes.scores), 0.5, votes.scores), 1 - CERTAIN, CERTAIN)
    # An arm that is sure of all it says adds as much as one that never says how sure it is; doubt takes away.
    strength = 1 + 0.5 * np.clip(np.log(sure / (1 - sure)), -2, 3)
    named = (candidates[:, :, None] == votes.answers[:, None, :]) & (candidates[:, :, None] >= 0)
    unnamed = np.maximum(votes.n_answers - (candidates >= 0).sum(axis=1), 0).astype(np.float64)
    each = named * np.maximum(strength, 0.0)[:, None, :]
    arms = int(of_arm.max(initial=-1)) + 1
    if votes.arms is not None:
        each = np.stack([each[:, :, of_arm == arm].mean(axis=2) for arm in range(arms)], axis=2)
    return _Features(candidates, each / max(1.0, np.sqrt(arms)), unnamed)


def _probabilities(features: _Features, weights: Numbers) -> Numbers:
    utility = np.where(features.candidates >= 0, features.votes @ weights[1:], -np.inf)
    rest = weights[0] + np.log(np.maximum(features.unnamed, 1e-9))
    top = np.maximum(utility.max(axis=1), rest)
    raised = np.exp(utility - top[:, None])
    total = raised.sum(axis=1) + np.exp(rest - top)
    return np.asarray(raised / total[:, None])


def _fit(features: _Features, rows: NDArray[np.int64], gold: NDArray[np.int64]) -> Numbers:
    """The weights: first what no arm names, then an arm each; penalised likelihood, by its gradient."""
    arms = features.votes.shape[2]
    start = np.concatenate([[-1.0], np.ones(arms)])
    if len(rows) < 2:
        return start
    part = _Features(features.candidates[rows], features.votes[rows], features.unnamed[rows])
    hit = (part.candidates == gold[:, None]) & (part.candidates >= 0)
    is_named = hit.any(axis=1)

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        probability = _probabilities(part, weights)
        rest = np.maximum(1 - probability.sum(axis=1), 1e-12)
        likelihood = np.where(is_named, np.maximum((probability * hit).sum(axis=1), 1e-12), rest)
        surprise = hit - probability
        spread = weights[1:] - weights[1:].mean()
        penalty = PULL * float(spread @ spread) + LOOSE * float(weights @ weights)
        slope = np.empty_like(weights)
        slope[0] = -((~is_named) - rest).sum() + 2 * LOOSE * weights[0]
        slope[1:] = -np.einsum("ic,ica->a", surprise, part.votes) + 2 * PULL * spread + 2 * LOOSE * weights[1:]
        return float(-np.log(likelihood).sum() + penalty), slope

    fitted = scipy.optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return np.asarray(fitted.x, dtype=np.float64)

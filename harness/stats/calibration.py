"""Whether a confidence can be believed, and what it is worth: calibration and selective prediction. Pure.

Everywhere `confidence` is the score of the answer that was given and `right` whether it was the
gold label, one entry per answered item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from harness.stats.intervals import wilson
from harness.stats.margins import share as share_of
from harness.stats.means import mean
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

    Counts = NDArray[np.int64]
    Statistics = NDArray[np.float64]
    Statistic = Callable[[Counts], Statistics]
    Groups = ArrayLike | None
    Ordered = tuple[Statistics, Statistics, Counts]

Scheme = Literal["width", "count"]
BINS = 15
RESAMPLES = 1_000
FEWEST_RESAMPLES = 200
DRAWN_AT_ONCE = 10_000  # rows: blocks of 100,000 are slower, and one resample at a time is slower for few items
MOST_DRAWS = 4_000_000  # rows drawn in one bootstrap: up to 4,000 items are resampled 1,000 times, 20,000 are 200 times


def ece(
    confidence: ArrayLike,
    right: ArrayLike,
    rng: Generator,
    *,
    bins: int = BINS,
    scheme: Scheme = "width",
    groups: Groups = None,
) -> Estimate:
    """Expected calibration error: the mean gap of confidence and accuracy over bins, weighted by their items.

    Guo et al. 2017, equation 3. `scheme` "width" cuts [0, 1] into equal parts, "count" the items
    into equal shares; equal confidences always share a bin. The value is biased upwards where
    items are few and moves with the bins, so both stand in the method. Percentile bootstrap over
    items; with `groups`, a code per item, over whole groups.
    """
    conf, hit, codes = _pairs(confidence, right, groups)
    parts = "equal width" if scheme == "width" else "equal count"
    what = f"top label, {bins} bins of {parts}"
    if len(conf) == 0:
        return Estimate("ece", None, None, None, 0, what)
    gaps = np.zeros((len(conf), bins))
    gaps[np.arange(len(conf)), _bins(conf, bins, scheme)] = conf - hit

    def statistic(times: Counts) -> Statistics:
        return np.asarray(np.abs(times @ gaps).sum(axis=1) / times.sum(axis=1))

    return _bootstrapped("ece", statistic, codes, rng, what)


def brier(squared_errors: ArrayLike, rng: Generator, *, groups: Groups = None) -> Estimate:
    """The Brier score, the mean of `squared_error` over items: proper, 0 for an oracle, 2 for certain and wrong."""
    errors = np.asarray(squared_errors, dtype=np.float64)
    if len(errors) == 0:
        return Estimate("brier", None, None, None, 0, "all labels")
    codes = _codes(len(errors), groups)
    return _bootstrapped("brier", lambda times: times @ errors / times.sum(axis=1), codes, rng, "all labels")


def squared_error(
    gold_score: ArrayLike, squares: ArrayLike, total: ArrayLike, unnamed: ArrayLike
) -> NDArray[np.float64]:
    """Per item, the sum over all labels of (score - is gold)² (Brier 1950), from what is kept of the scores.

    Kept are the scores of some labels: `squares` is the sum of their squares, `total` their sum,
    `unnamed` how many labels are not among them, and `gold_score` the gold label's, NaN where it
    is not. Labels without a score share what is missing to 1.
    """
    rest = np.clip(1 - np.asarray(total, dtype=np.float64), 0.0, 1.0)
    others = np.asarray(unnamed, dtype=np.float64)
    each = np.divide(rest, others, out=np.zeros_like(rest), where=others > 0)
    gold = np.asarray(gold_score, dtype=np.float64)
    gold = np.where(np.isnan(gold), each, gold)
    return np.asarray(np.asarray(squares, dtype=np.float64) + others * each**2 - 2 * gold + 1)


def aurc(confidence: ArrayLike, right: ArrayLike, rng: Generator, *, groups: Groups = None) -> Estimate:
    """Area under the risk-coverage curve: the mean, over k, of the error rate of the k most confident answers.

    Geifman et al. 2019. Answers of equal confidence come in random order: the value is the mean
    over all orders. Percentile bootstrap over items.
    """
    return _area("aurc", _pairs(confidence, right, groups), rng, excess=False)


def excess_aurc(confidence: ArrayLike, right: ArrayLike, rng: Generator) -> Estimate:
    """E-AURC: `aurc` less that of the best order of the same answers, every right one before every wrong one."""
    return _area("e_aurc", _pairs(confidence, right), rng, excess=True)


def best_aurc(right: ArrayLike) -> float:
    """The smallest area that answers with so many errors can have."""
    hit = np.asarray(right, dtype=np.float64)
    n, n_right = len(hit), int(hit.sum())
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])
    return float(_mean_risk(np.array([[0, n - n_right]]), np.array([[n_right, n - n_right]]), harmonic)[0])


@dataclass(frozen=True, slots=True)
class Coverage:
    """The most confident share of the answers: from which confidence on, how many, and how accurate."""

    threshold: float
    share: float
    accuracy: Estimate


def accuracy_coverage(
    confidence: ArrayLike, right: ArrayLike, shares: Sequence[float], groups: Groups = None
) -> list[Coverage]:
    """Accuracy of the most confident answers, at each wanted share of all of them; Wilson's interval.

    A share is reached by a threshold, and answers of equal confidence stay together, so the share
    that is returned may be larger than the one that was asked for.
    """
    conf, hit, codes = _pairs(confidence, right, groups)
    if len(conf) == 0:
        return []
    rows = []
    order = -np.sort(-conf)
    for share in shares:
        threshold = float(order[max(round(share * len(conf)), 1) - 1])
        kept = conf >= threshold
        rows.append(Coverage(threshold, float(kept.mean()), share_of(hit[kept], codes[kept])))
    return rows


def conformal_threshold(gold_scores: ArrayLike, alpha: float) -> float:
    """The lowest score with which a label enters a prediction set that holds the gold label with 1 - `alpha`.

    Split conformal prediction (Sadinle, Lei and Wasserman 2019): of the m gold labels' scores on
    items that nothing was fitted to, the ceil((m + 1)(1 - alpha))-th highest. The promise holds on
    average over new items that are exchangeable with those. With too few items every label enters: 0.
    """
    scores = -np.sort(-np.asarray(gold_scores, dtype=np.float64))
    rank = int(np.ceil((len(scores) + 1) * (1 - alpha)))
    return float(scores[rank - 1]) if rank <= len(scores) else 0.0


def prediction_sets(scores: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Which labels are in the prediction set of each item: a row per item, a column per label."""
    return np.asarray(np.asarray(scores, dtype=np.float64) >= threshold)


@dataclass(frozen=True, slots=True)
class Sets:
    """Prediction sets on items that did not choose their threshold.

    `coverage` is the share of sets that hold the gold label, `size` the mean number of labels in one;
    `chosen_n` items of another split have chosen `threshold`.
    """

    threshold: float
    chosen_n: int
    coverage: Estimate
    size: Estimate


def sets(covered: ArrayLike, sizes: ArrayLike, threshold: float, chosen_n: int) -> Sets:
    """Whether each item's set holds its gold label and how many labels are in it, summed up: Wilson, Student's t."""
    held = np.asarray(covered, dtype=np.bool_)
    return Sets(
        threshold, chosen_n, wilson(int(held.sum()), len(held), name="set coverage"), mean(sizes, name="set size")
    )


def _pairs(confidence: ArrayLike, right: ArrayLike, groups: Groups = None) -> Ordered:
    """Confidences, rights and groups in the order of confidence, so that the items' own order decides nothing."""
    conf, hit = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    order = np.lexsort((hit, -conf))
    return conf[order], hit[order], _codes(len(conf), groups)[order if groups is not None else slice(None)]


def _codes(n: int, groups: Groups) -> Counts:
    """A code per item from 0 on: of its group, or its own."""
    return np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _bins(conf: NDArray[np.float64], bins: int, scheme: Scheme) -> NDArray[np.int64]:
    if scheme == "width":
        # A confidence on an edge belongs to the bin below, as in the paper.
        return np.clip(np.ceil(conf * bins).astype(np.int64) - 1, 0, bins - 1)
    ranks = np.searchsorted(np.sort(conf), conf, side="left")
    return np.asarray(ranks * bins // len(conf), dtype=np.int64)


def _area(name: str, pairs: Ordered, rng: Generator, *, excess: bool) -> Estimate:
    conf, hit, codes = pairs
    n = len(conf)
    if n == 0:
        return Estimate(name, None, None, None, 0, "most confident first")
    wrong = 1 - hit
    first_of_level = np.flatnonzero(np.diff(conf, prepend=np.inf))

    def statistic(times: Counts) -> Statistics:
        drawn = times.sum(axis=1)
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, drawn.max() + 1))])
        answers = np.add.reduceat(times, first_of_level, axis=1)  # rows stand in the order of confidence already
        errors = np.add.reduceat(times * wrong, first_of_level, axis=1)
        area = _mean_risk(errors, answers, harmonic)
        if not excess:
            return area
        n_wrong = errors.sum(axis=1).astype(np.int64)
        best = np.stack([np.zeros_like(n_wrong), n_wrong], axis=1), np.stack([drawn - n_wrong, n_wrong], axis=1)
        return area - _mean_risk(*best, harmonic)

    return _bootstrapped(name, statistic, codes, rng, "most confident first")


def _mean_risk(errors: Counts, answers: Counts, harmonic: Statistics) -> Statistics:
    """The mean, over k, of the error rate of the first k answers, from the errors and answers of each level; by row.

    In a level of equal confidence every answer counts as the level's share of errors s. With E errors
    in K answers before it, its j-th answer brings the rate to (E + s j) / (K + j) = s + (E - s K) / (K + j):
    a sum of reciprocals, so a difference of two harmonic numbers. Nothing is laid out answer by answer.
    """
    share = np.divide(errors, answers, out=np.zeros(errors.shape), where=answers > 0)
    until, errors_until = np.cumsum(answers, axis=1), np.cumsum(errors, axis=1)
    before, errors_before = until - answers, errors_until - errors
    reciprocals = harmonic[until] - harmonic[before]
    total = (share * answers + (errors_before - share * before) * reciprocals).sum(axis=1)
    return np.asarray(total / until[:, -1])


def _bootstrapped(name: str, statistic: Statistic, codes: Counts, rng: Generator, what: str) -> Estimate:
    """The statistic of all rows, with a percentile interval over rows, or their groups, drawn with replacement.

    `statistic` takes how often each row was drawn, a resample to a row, and gives a number for each; `codes` has the
    group of each row.
    """
    n, groups = len(codes), int(codes.max()) + 1
    resamples = int(np.clip(MOST_DRAWS // n, FEWEST_RESAMPLES, RESAMPLES))
    at_once = max(1, DRAWN_AT_ONCE // n)
    parts = [min(at_once, resamples - done) for done in range(0, resamples, at_once)]
    is_grouped = groups < n
    draws = (_drawn(part, groups, rng) for part in parts)
    low, high = np.quantile(
        np.concatenate([statistic(times[:, codes] if is_grouped else times) for times in draws]), [0.025, 0.975]
    )
    method = f"{what}; percentile bootstrap, {resamples:,} resamples"
    method += f" of {groups:,} clusters" if is_grouped else ""
    value = statistic(np.ones((1, n), dtype=np.int64))[0]
    return Estimate(name, float(value), float(low), float(high), n, method)


def _drawn(resamples: int, n: int, rng: Generator) -> Counts:
    """How often each of `n` rows comes up when `n` are drawn with replacement, a resample to a row."""
    rows = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(rows.ravel(), minlength=resamples * n).reshape(resamples, n)

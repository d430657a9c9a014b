"""Intervals by resampling items, for what has no closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.types import Estimate

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

TAIL = 0.025
CELLS = 2_000_000  # numbers of a table at once
CHUNK = 100  # resamples at once: a row of counts each, as long as there are items


def macro_f1(
    gold: NDArray[np.int64],
    answers: NDArray[np.int64],
    n_labels: int,
    rng: Generator,
    *,
    resamples: int = 1000,
    clusters: NDArray[np.int64] | None = None,
) -> Estimate:
    """F1 per label, averaged with equal weight; percentile bootstrap over items.

    `gold` and `answers` are label codes, one per item; -1 is an item without an answer, which
    costs its gold label recall. A label that is neither in gold nor among the answers is left
    out, as scikit-learn does when it finds the labels itself; one that is never hit counts 0.
    Items are resampled through the counts of the confusion matrix: a multinomial draw of its
    cells is the same as drawing items with replacement (Efron and Tibshirani 1993, chapter 6). With `clusters`, a
    code per item, whole clusters are drawn instead.
    """
    n = len(gold)
    method = f"percentile bootstrap, {resamples:,} resamples"
    if n == 0:
        return Estimate("macro_f1", None, None, None, 0, method)
    width = n_labels + 1
    cells, cell_of, counts = np.unique(gold * width + answers + 1, return_inverse=True, return_counts=True)
    gold_of, answer_of = cells // width, cells % width - 1
    if clusters is None:
        resampled = rng.multinomial(n, counts / n, size=resamples)
    else:
        resampled = _of_clusters(clusters, cell_of, rng, resamples)
        method += f" of {len(np.unique(clusters)):,} clusters"
    # Rows: what was seen, then the resamples; columns: the cells of the confusion matrix.
    scores = f1_of_cells(np.vstack([counts, resampled]), gold_of, answer_of, n_labels)
    low, high = np.quantile(scores[1:], [TAIL, 1 - TAIL])
    return Estimate("macro_f1", float(scores[0]), float(low), float(high), n, method)


def _of_clusters(
    clusters: NDArray[np.int64], cell_of: NDArray[np.int64], rng: Generator, resamples: int
) -> NDArray[np.int64]:
    """How often each cell comes up when whole clusters are drawn with replacement: a row per resample."""
    codes = np.unique(clusters, return_inverse=True)[1]
    groups, cells = int(codes.max()) + 1, int(cell_of.max()) + 1
    held = scipy.sparse.coo_array((np.ones(len(codes)), (codes, cell_of)), shape=(groups, cells)).tocsr()
    drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    return np.asarray(drawn @ held).astype(np.int64)


def f1_of_cells(
    counts: NDArray[np.int64], gold_of: NDArray[np.int64], answer_of: NDArray[np.int64], n_labels: int
) -> NDArray[np.float64]:
    """Macro-F1 of each row of counts; the columns are cells, of which the gold and the answer code are given."""
    labels = np.arange(n_labels)
    is_gold = (gold_of[:, None] == labels).astype(np.float64)
    is_answer = (answer_of[:, None] == labels).astype(np.float64)
    hits = counts @ (is_gold * is_answer)
    seen = counts @ is_gold + counts @ is_answer
    return _mean_f1_of_labels(hits, seen)


def f1_without_one(
    counts: NDArray[np.int64], gold_of: NDArray[np.int64], answer_of: NDArray[np.int64], n_labels: int
) -> NDArray[np.float64]:
    """Macro-F1 without one item of a cell, for each cell in turn; the same as `f1_of_cells` of such counts.

    One item less changes two labels at most, so what all items give is taken and the one subtracted: of 13,000
    cells a table of 13,000 x 13,000 counts would have to be multiplied.
    """
    labels, step = np.arange(n_labels), max(1, CELLS // max(1, n_labels))
    is_hit, is_given, is_known = gold_of == answer_of, answer_of >= 0, gold_of >= 0
    hits = _added(gold_of, counts, is_hit & is_known, n_labels)
    seen = _added(gold_of, counts, is_known, n_labels) + _added(answer_of, counts, is_given, n_labels)
    means = []
    for start in range(0, len(counts), step):
        is_gold = gold_of[start : start + step, None] == labels
        is_answer = answer_of[start : start + step, None] == labels
        means.append(_mean_f1_of_labels(hits - (is_gold & is_answer), seen - is_gold - is_answer))
    return np.concatenate(means)


def _added(
    codes: NDArray[np.int64], counts: NDArray[np.int64], which: NDArray[np.bool_], n_labels: int
) -> NDArray[np.float64]:
    return np.bincount(codes[which], counts[which], n_labels).astype(np.float64)


def macro_f1_of_sets(
    gold: NDArray[np.bool_],
    answers: NDArray[np.bool_],
    rng: Generator,
    *,
    resamples: int = 1000,
    clusters: NDArray[np.int64] | None = None,
) -> Estimate:
    """F1 per label, averaged over the labels that occur, of items with several labels; percentile bootstrap over items.

    `gold` and `answers` are items x labels. Whole items are drawn (with `clusters`, whole clusters), for the labels of
    one item go together. A label that is neither in gold nor among the answers is left out.
    """
    n = len(gold)
    codes = np.arange(n) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    groups = int(codes.max()) + 1 if n else 0
    method = f"percentile bootstrap, {resamples:,} resamples" + ("" if clusters is None else f" of {groups:,} clusters")
    if n == 0:
        return Estimate("macro_f1", None, None, None, 0, method)
    hits = _by_group(gold & answers, codes, groups)
    seen = _by_group(gold, codes, groups) + _by_group(answers, codes, groups)
    value = float(_mean_f1_of_labels(hits.sum(axis=0)[None], seen.sum(axis=0)[None])[0])
    means = []
    for start in range(0, resamples, CHUNK):
        drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=min(CHUNK, resamples - start))
        means.append(_mean_f1_of_labels(drawn @ hits, drawn @ seen))
    low, high = np.quantile(np.concatenate(means), [TAIL, 1 - TAIL])
    return Estimate("macro_f1", value, float(low), float(high), n, method)


def _by_group(held: NDArray[np.bool_], codes: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    """How often each label is held, a row per group."""
    values = held.astype(np.float64)
    if groups == len(codes):
        return values[np.argsort(codes)]
    member = scipy.sparse.coo_array((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(groups, len(codes)))
    return np.asarray(member.tocsr() @ values)


def _mean_f1_of_labels(hits: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Macro-F1 of each row: `seen` is how often a label stands in gold and in the answers together."""
    f1 = np.divide(2 * hits, seen, out=np.zeros_like(seen), where=seen > 0)
    return np.asarray(f1.sum(axis=1) / np.maximum((seen > 0).sum(axis=1), 1))

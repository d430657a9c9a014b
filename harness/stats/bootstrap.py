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
    present = seen > 0
    f1 = np.divide(2 * hits, seen, out=np.zeros_like(seen), where=present)
    return np.asarray(f1.sum(axis=1) / np.maximum(present.sum(axis=1), 1))

"""Pairs of texts that are nearly the same: exact search, without comparing every text with every other.

Texts are vectors of character 3- to 5-grams inside words, weighted by tf-idf and of length 1; a
pair counts when its cosine reaches the threshold. To find all such pairs, each vector's n-grams
are ordered from the rarest to the commonest in the whole set, and only the first ones are indexed:
as many as it takes until what remains is shorter than the threshold. Two vectors that share no
indexed n-gram share only n-grams in the remainder of one of them, so by Cauchy and Schwarz their
cosine is below the threshold (Bayardo, Ma and Srikant 2007, Scaling up all pairs similarity
search; Xiao et al. 2008 for the prefix on both sides). No pair is missed, and the lists of rare
n-grams are short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy  # its parts are loaded when they are used

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from sklearn.feature_extraction.text import TfidfVectorizer

MAX_CHARS = 12_000_000
"""How many characters are compared in all; longer sets are compared by the beginnings of their texts."""
MAX_PAIRS = 5_000_000
MAX_WORK = 4_000_000_000
"""Steps of the search after which it gives up and says so: minutes, on two cores."""
CHUNK_WORK = 20_000_000
VERIFIED_AT_ONCE = 10_000
DENSE_ROWS = 512
FOLDED = 128
ROUNDING = 1e-6  # of sums in single precision


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Pairs of texts by number, `first` < `second`, with their cosine.

    `chars` is how many characters of each text were compared (None: all). `is_whole` is False when
    the search gave up before it had seen every text.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]
    chars: int | None = None
    is_whole: bool = True


def find(texts: Sequence[str], threshold: float, known: int | None = None) -> Neighbours:
    """All pairs of texts whose cosine is `threshold` or more.

    With `known`, n-grams are known and weighted by the first so many texts alone, as an arm that
    learned from them sees the others.
    """
    nothing = np.array([], dtype=np.int64)
    if len(texts) < 2:
        return Neighbours(nothing, nothing, np.array([]))
    chars = compared_chars([len(text) for text in texts])
    vectors = vectorise([text[:chars] for text in texts], known)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    n_pairs, is_whole = 0, True
    for step in _search(vectors, threshold):
        if step is None or n_pairs > MAX_PAIRS:
            is_whole = False
            break
        found.append(step)
        n_pairs += len(step[0])
    if not found:
        return Neighbours(nothing, nothing, np.array([]), chars, is_whole)
    first, second, cosine = (np.concatenate(column) for column in zip(*found, strict=True))
    return Neighbours(first, second, cosine, chars, is_whole)


def vectorise(texts: Sequence[str], known: int | None = None) -> scipy.sparse.csr_matrix:
    """Unit vectors of character 3- to 5-grams inside words; columns from the rarest n-gram to the commonest."""
    vectors = vectors_of(weigh(texts[:known]), texts) if known else _grams().fit_transform(texts)
    document_counts = np.bincount(vectors.indices, minlength=vectors.shape[1])
    rank = np.empty(vectors.shape[1], dtype=vectors.indices.dtype)
    rank[np.argsort(document_counts, kind="stable")] = np.arange(vectors.shape[1], dtype=vectors.indices.dtype)
    ordered = scipy.sparse.csr_matrix((vectors.data, rank[vectors.indices], vectors.indptr), shape=vectors.shape)
    ordered.sort_indices()
    return ordered


def weigh(texts: Sequence[str]) -> TfidfVectorizer:
    """The n-grams of these texts and what each weighs: the rarer, the more."""
    return _grams().fit(texts)


def vectors_of(weights: TfidfVectorizer, texts: Sequence[str]) -> scipy.sparse.csr_matrix:
    """Unit vectors of the n-grams that are known, a row each; all 0 for a text without any."""
    return weights.transform(texts)


def cosines_of(
    first: tuple[scipy.sparse.csr_matrix, NDArray[np.int64]], second: tuple[scipy.sparse.csr_matrix, NDArray[np.int64]]
) -> NDArray[np.float64]:
    """The cosines of pairs of unit vectors, each side its vectors and, pair by pair, which of them."""
    (left, rows), (right, others) = first, second
    parts = [
        np.asarray(
            left[rows[i : i + VERIFIED_AT_ONCE]].multiply(right[others[i : i + VERIFIED_AT_ONCE]]).sum(axis=1),
            dtype=np.float64,
        ).ravel()
        for i in range(0, len(rows), VERIFIED_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.array([])


def among(vectors: NDArray[np.float32], threshold: float) -> Neighbours:
    """All pairs of unit vectors (a row each) whose cosine is `threshold` or more, compared block by block."""
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
    n_pairs, start = 0, 0
    while start < len(vectors) and n_pairs <= MAX_PAIRS:
        cosine = vectors[start : start + DENSE_ROWS] @ vectors[start:].T
        row, column = np.nonzero(np.triu(cosine, k=1) >= threshold - ROUNDING)
        found.append((row + start, column + start, cosine[row, column].astype(np.float64)))
        n_pairs += len(row)
        start += DENSE_ROWS
    nothing = np.array([], dtype=np.int64)
    found = found or [(nothing, nothing, np.array([]))]
    first, second, near = (np.concatenate(column) for column in zip(*found, strict=True))
    return Neighbours(first, second, near, None, start >= len(vectors))


def components(n: int, found: Neighbours) -> NDArray[np.int64]:
    """A number per text, the same for texts that are linked by pairs."""
    links = scipy.sparse.coo_matrix((np.ones(len(found.first), dtype=bool), (found.first, found.second)), shape=(n, n))
    return np.asarray(scipy.sparse.csgraph.connected_components(links, directed=False)[1], dtype=np.int64)


def compared_chars(lengths: Sequence[int]) -> int | None:
    """How many characters of each text can be compared within `MAX_CHARS` in all; None: every one."""
    known = np.sort(np.asarray(lengths, dtype=np.int64))
    if known.sum() <= MAX_CHARS:
        return None
    low, high = 1, int(known[-1])
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if np.minimum(known, middle).sum() <= MAX_CHARS else (low, middle - 1)
    return low


def _grams() -> TfidfVectorizer:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  (a second to import)

    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), dtype=np.float32)


def _search(
    vectors: scipy.sparse.csr_matrix, threshold: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]] | None]:
    """Pairs, a stretch of rows at a time; None when it has become too much."""
    indexed, folded = _prefixes(vectors, threshold), _folded(vectors)
    columns = indexed.T.tocsr()
    list_lengths = np.diff(columns.indptr).astype(np.int64)
    entries = np.append(0, np.cumsum(list_lengths[indexed.indices]))
    work = entries[indexed.indptr]  # steps up to each row
    start = 0
    while start < indexed.shape[0]:
        end = max(start + 1, int(np.searchsorted(work, work[start] + CHUNK_WORK, side="right")) - 1)
        if work[end] > MAX_WORK:
            yield None
            return
        shared = (indexed[start:end] @ columns).tocoo()
        is_later = shared.col > shared.row + start
        first, second = shared.row[is_later].astype(np.int64) + start, shared.col[is_later].astype(np.int64)
        may_be_near = _bounds(folded, first, second) >= threshold - ROUNDING
        first, second = first[may_be_near], second[may_be_near]
        cosine = cosines_of((vectors, first), (vectors, second))
        is_near = cosine >= threshold - ROUNDING
        yield first[is_near], second[is_near], cosine[is_near]
        start = end


def _prefixes(vectors: scipy.sparse.csr_matrix, threshold: float) -> scipy.sparse.csr_matrix:
    """Each vector's rarest n-grams: as many as it takes until the rest is shorter than the threshold."""
    squares = np.asarray(vectors.data, dtype=np.float64) ** 2
    upto = np.append(0.0, np.cumsum(squares))
    row_ends = np.repeat(upto[vectors.indptr[1:]], np.diff(vectors.indptr))
    is_kept = row_ends - upto[:-1] >= threshold**2 - ROUNDING
    counts = np.append(0, np.cumsum(is_kept))[vectors.indptr]
    return scipy.sparse.csr_matrix((vectors.data[is_kept], vectors.indices[is_kept], counts), shape=vectors.shape)


def _folded(vectors: scipy.sparse.csr_matrix) -> NDArray[np.float32]:
    """Each vector folded onto `FOLDED` places: the lengths of its parts."""
    place = np.arange(vectors.shape[1]) % FOLDED
    onto = scipy.sparse.csr_matrix((np.ones(len(place), np.float32), place, np.arange(len(place) + 1)))
    lengths: NDArray[np.float32] = np.sqrt((vectors.multiply(vectors) @ onto).toarray(), dtype=np.float32)
    return lengths


def _bounds(folded: NDArray[np.float32], first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float32]:
    """What each pair's cosine is at most: Cauchy and Schwarz, part by part. It spares most exact cosines."""
    parts = [
        np.einsum("ij,ij->i", folded[first[i : i + VERIFIED_AT_ONCE]], folded[second[i : i + VERIFIED_AT_ONCE]])
        for i in range(0, len(first), VERIFIED_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.array([], dtype=np.float32)

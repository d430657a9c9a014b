"""Texts to counts of words or pieces of words, as scikit-learn's vectorizers count, with numpy alone.

This file goes into shipped folders as it is: it imports the standard library and numpy, nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

BLANKS = re.compile(r"\s\s+")


class Counts:
    """One vectorizer: its terms in the order of their columns, and how a term is weighed.

    `spec` has `terms`, `analyzer` (`word` or `char_wb`), `pattern`, `ngrams` (shortest and longest), `sublinear` (the
    logarithm of the count plus 1) and `is_unit` (rows of length 1). `idf` weighs the terms; without it counts stay.
    """

    def __init__(self, spec: Mapping[str, Any], idf: NDArray[np.float64] | None) -> None:
        self._columns = {term: column for column, term in enumerate(spec["terms"])}
        self.width = len(self._columns)
        self._is_words = spec["analyzer"] == "word"
        self._token = re.compile(spec["pattern"])
        self._shortest, self._longest = spec["ngrams"]
        self._sublinear, self._is_unit = spec["sublinear"], spec["is_unit"]
        self._idf = idf

    def row(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The columns of a text that are not 0, and their values."""
        known = Counter(self._columns[term] for term in self._terms(text) if term in self._columns)
        columns = np.array(sorted(known), dtype=np.intp)
        values = np.array([known[column] for column in columns.tolist()], dtype=np.float64)
        if self._sublinear:
            values = np.log(values) + 1.0
        if self._idf is not None:
            values = values * self._idf[columns]
        if self._is_unit and len(values):
            values = values / np.sqrt((values**2).sum())
        return columns, values

    def _terms(self, text: str) -> Iterable[str]:
        if self._is_words:
            return runs(self._token.findall(text), self._shortest, self._longest)
        return pieces(text, self._shortest, self._longest)


def runs(words: Sequence[str], shortest: int, longest: int) -> Iterable[str]:
    """Every run of so many words."""
    for n in range(shortest, longest + 1):
        if n == 1:
            yield from words
        else:
            yield from (" ".join(words[start : start + n]) for start in range(len(words) - n + 1))


def pieces(text: str, shortest: int, longest: int) -> Iterable[str]:
    """Every run of so many characters inside a word with a blank on either side; a shorter word is one piece, once."""
    for word in BLANKS.sub(" ", text).split():
        padded = f" {word} "
        for n in range(shortest, longest + 1):
            if len(padded) <= n:
                yield padded
                break
            yield from (padded[start : start + n] for start in range(len(padded) - n + 1))


def product(vectorizers: Sequence[Counts], text: str, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The row of a text, the vectorizers' columns side by side, times `weights` (a row per column)."""
    total = np.zeros(weights.shape[1])
    start = 0
    for one in vectorizers:
        columns, values = one.row(text)
        total += values @ weights[start + columns]
        start += one.width
    return total

"""Which of the texts that are known another text repeats: equal but for case and blanks, or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit import neighbours
from harness.datasets.audit.equality import normal_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EQUAL = 1.0


class Twins:
    """Known texts, asked which of them another text repeats.

    It is the audit's rule with n-grams weighed by the known texts alone, so that the answer for a text does not depend
    on the others that are asked beside it. With `cosine` 1 only equal texts are repeats, and no n-gram is counted.
    """

    def __init__(self, known: Sequence[str], cosine: float) -> None:
        self._cosine = cosine
        self._known = [normal_form(text) for text in known]
        distinct = list(dict.fromkeys(self._known))
        self._weights = None
        if cosine < EQUAL and any(distinct):
            self._chars = neighbours.compared_chars([len(text) for text in distinct])
            self._weights = neighbours.weigh(self._cut(distinct))
            self._vectors = neighbours.vectors_of(self._weights, self._cut(self._known))

    def repeated(self, texts: Sequence[str], places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each text (a row), which of the known texts at its `places` it repeats; the shape is that of `places`."""
        normal = [normal_form(text) for text in texts]
        equal = [[self._known[place] == own for place in row] for own, row in zip(normal, places.tolist(), strict=True)]
        is_twin = np.array(equal, dtype=np.bool_).reshape(places.shape)
        if self._weights is None or not places.size:
            return is_twin
        asked = neighbours.vectors_of(self._weights, self._cut(normal))
        rows = np.repeat(np.arange(len(texts)), places.shape[1])
        near = neighbours.cosines_of((asked, rows), (self._vectors, places.ravel()))
        return is_twin | (near >= self._cosine - neighbours.ROUNDING).reshape(places.shape)

    def _cut(self, texts: Sequence[str]) -> list[str]:
        return [text[: self._chars] for text in texts]

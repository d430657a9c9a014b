"""The 2x2 tables of all pairs of a panel's arms: how often both, one or neither got an item right. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.stats.paired import Table2x2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.analysis.panel import Panel


class Tables:
    """The 2x2 tables of all pairs of a panel, by four products of matrices instead of a pass per pair."""

    def __init__(self, together: Panel) -> None:
        is_known = ~np.isnan(together.scores)
        right = np.where(is_known, together.scores, 0.0) > 0.5
        self._whole = Products(right, is_known & ~right)
        self._answered = Products(right & together.answered, is_known & ~right & together.answered)
        asked = together.asked.astype(np.float32)
        self._shared = asked.T @ asked

    def whole(self, a: int, b: int) -> Table2x2:
        """The items that neither failed on; without an answer is wrong."""
        return self._whole.table(a, b)

    def answered(self, a: int, b: int) -> Table2x2:
        """The items that both answered."""
        return self._answered.table(a, b)

    def shared(self, a: int, b: int) -> tuple[int, int]:
        """The items that both were asked, and those that only one was."""
        both = int(self._shared[a, b])
        return both, int(self._shared[a, a] + self._shared[b, b]) - 2 * both


class Products:
    """How often two arms were right and wrong together."""

    def __init__(self, right: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> None:
        # 32 bits count exactly up to 16 million items, and are multiplied twice as fast.
        hits, misses = right.astype(np.float32), wrong.astype(np.float32)
        self._both, self._only, self._neither = hits.T @ hits, hits.T @ misses, misses.T @ misses

    def table(self, a: int, b: int) -> Table2x2:
        """How often both, one or neither of two arms was right."""
        return Table2x2(*(int(n) for n in (self._both[a, b], self._only[a, b], self._only[b, a], self._neither[a, b])))

"""How far the best of many tries flatters itself, where all were scored on the same items."""

from __future__ import annotations

from math import log, sqrt


def optimism(tries: int, worth: float) -> float:
    """The most by which the best of so many mean scores in [0, 1] lies above its own truth, on the average.

    Massart's (2000) bound for a finite class: sqrt(ln(tries) / (2 n)), whatever the scores and however alike the
    tries; `worth` is the number n of independent items. It holds for tries that were made without the items' results.
    Whoever mends a prompt by its mistakes can exceed it (Dwork et al. 2015). No more than 1.
    """
    return min(1.0, sqrt(log(tries) / (2 * worth))) if tries > 1 and worth > 0 else 0.0

"""The panel of arms as estimated from few labels: every pair and every arm, with failed calls at their worst. Pure."""

from __future__ import annotations

from dataclasses import replace
from math import isinf
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.few_labels import Bounded, FewLabels
from harness.analysis.panel import Panel
from harness.stats.pairwise import Pairwise
from harness.stats.shares import Shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.analysis.estimation import Estimation
    from harness.analysis.few_labels import Table
    from harness.stats.powered import Powered
    from harness.types import Estimate

    Numbers = NDArray[np.float64]

PLAIN = 1e9  # units of which Student's t is the normal


def panel_of(estimation: Estimation, recalls: Sequence[str] = (), names: Sequence[str] | None = None) -> Panel:
    """The arms side by side on the labelled items, with estimates in the place of what those alone say.

    `recalls` are the labels whose recall is wanted, `names` the arms in the order that they are wanted in.
    """
    answered = estimation.answered
    scores = estimation.credits()
    groups = None if answered.groups is None else answered.groups[estimation.rows]
    whole = Panel(
        answered.names,
        np.array(answered.items, dtype=object)[estimation.rows],
        scores,
        asked=np.ones(scores.shape, dtype=np.bool_),
        answered=np.ones(scores.shape, dtype=np.bool_),
        clusters=groups,
        is_binary=estimation.gold.is_binary,
        few=_few(estimation, recalls),
    )
    return whole if names is None else whole.taken([answered.names.index(name) for name in names])


def _few(estimation: Estimation, recalls: Sequence[str]) -> FewLabels:
    names, failed = estimation.answered.names, estimation.answered.lost
    found = _table(estimation, at_worst=False)
    pairs = _pairs(found)
    any_failed = failed[:, :, None] | failed[:, None, :] if failed.any() else None
    counts = np.zeros((len(names),) * 2, dtype=np.int64) if any_failed is None else any_failed.sum(axis=0)
    means, powered = _bounded([[estimation.accuracy(name, lost) for name in names] for lost in (None, 0.0, 1.0)])
    by_label = {
        label: _bounded([[estimation.recall(name, label, lost) for name in names] for lost in (None, 0.0, 1.0)])[0]
        for label in recalls
    }
    worst = pairs if any_failed is None else _pairs(_table(estimation, at_worst=True))
    of_fits = np.array([[_of_fits(one) for one in row] for row in found], dtype=np.float64)
    return FewLabels(found, pairs, worst, counts, means, powered, estimation.n, estimation.n_all, of_fits, by_label)


def _table(estimation: Estimation, *, at_worst: bool) -> Table:
    names = estimation.answered.names
    if at_worst:
        return [[estimation.difference(a, b, at_worst=True) for b in names] for a in names]
    half = [[estimation.difference(a, b) for b in names[place:]] for place, a in enumerate(names)]
    return [
        [_turned(half[b][a - b]) if b < a else half[a][b - a] for b in range(len(names))] for a in range(len(names))
    ]


def _turned(one: Powered) -> Powered:
    """B less a, of a less b."""
    estimate, alone = (_negative(of) for of in (one.estimate, one.gold_alone))
    return replace(one, estimate=estimate, gold_alone=alone)


def _negative(of: Estimate) -> Estimate:
    value, low, high = (None if end is None else -end for end in (of.value, of.high, of.low))
    return replace(of, name=" less ".join(reversed(of.name.split(" less "))), value=value, low=low, high=high)


def _pairs(found: Table) -> Pairwise:
    """The counts of pairs of which each estimate would be the plain one."""

    def laid(of: str) -> Numbers:
        return np.array([[_number(one, of) for one in row] for row in found], dtype=np.float64)

    n, value, apart = laid("worth"), laid("value"), laid("apart")
    return Pairwise(n, n * (apart + value) / 2, n * (apart - value) / 2, np.ones_like(n), laid("units"), is_exact=False)


def _bounded(found: Sequence[Sequence[Powered]]) -> tuple[Bounded, Sequence[Powered]]:
    of_fits = np.array([_of_fits(one) for one in found[0]], dtype=np.float64)
    seen, wrong, right = (_shares(row) for row in found)
    return Bounded(seen, wrong, right, of_fits), found[0]


def _of_fits(one: Powered) -> float:
    """By how much the fits make 1 / worth larger."""
    worth, of_items = one.evidence.worth, one.evidence.of_items
    return max(0.0, 1 / worth - 1 / of_items) if worth > 0 and of_items > 0 else 0.0


def _shares(row: Sequence[Powered]) -> Shares:
    worth, value, units = (np.array([_number(one, of) for one in row]) for of in ("worth", "value", "units"))
    return Shares(value, worth, worth, units, is_exact=False)


def _number(one: Powered, of: str) -> float:
    evidence = one.evidence
    if of == "value":
        return one.estimate.value or 0.0
    if of == "units":
        return PLAIN if isinf(evidence.freedom) else evidence.freedom + 1.0
    return float(getattr(evidence, of))

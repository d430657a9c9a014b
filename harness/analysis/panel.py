"""Arms side by side on the same items: one row per item, one column per arm. Pure.

What pairs of arms are compared by, taken apart once instead of once per pair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.datasets.task import SINGLE, Task
from harness.stats import fits, margins, pairwise, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.analysis.few_labels import FewLabels
    from harness.stats.fits import Fits
    from harness.stats.pairwise import Pairwise
    from harness.stats.shares import Shares
    from harness.stats.strata import Strata
    from harness.store import PassedOver
    from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class Answers:
    """An arm's rows, one or more per item when it was repeated: see `Store.predictions`.

    `dataset` is the version it was run on; `left_out` says which rows are not here because the
    other arm was run on another version. `run_ids` are the runs that the rows are of, the first
    one first; `passed_over` are runs of the arm that they are not of. `task` is what was asked.
    `fits` are the mean score of each fit, where the arm was trained several times.
    """

    name: str
    rows: pd.DataFrame
    dataset: str = ""
    left_out: str = ""
    run_ids: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    task: Task = SINGLE
    is_judged_anew: bool = False
    fits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Panel:
    """Items x arms.

    `scores` is an item's mean credit over its repeats, in [0, 1]; nan where every call failed or the arm
    was not asked. `asked` and `answered` say whether there is a row, and one with an answer.
    `clusters` holds a code per item where items come in groups, None where each stands for itself; `strata` weigh
    the items to another mix of labels; `fits` say how far the fits of an arm lie apart. With `few` the items are those
    with a label of many more, and what pairs and arms come to is estimated for all of them.
    `is_binary`: an answer is right or wrong, its credit 1 or 0.
    """

    names: tuple[str, ...]
    items: NDArray[np.object_]
    scores: NDArray[np.float64]
    asked: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    clusters: NDArray[np.int64] | None = None
    is_repeated: bool = False
    is_binary: bool = True
    strata: Strata | None = None
    fits: Fits | None = None
    few: FewLabels | None = None

    @property
    def is_single(self) -> bool:
        """Whether every item was asked once and stands for itself, so that the exact tests of pairs hold."""
        return self.clusters is None and not self.is_repeated

    @property
    def lost(self) -> NDArray[np.bool_]:
        """The cells that were asked and failed each time: nobody knows their score."""
        return np.asarray(self.asked & np.isnan(self.scores))

    def of_arms(self, arms: NDArray[np.bool_]) -> Panel:
        """The panel of some of the arms, on the same items."""
        return self.taken(np.flatnonzero(arms).tolist())

    def taken(self, arms: Sequence[int]) -> Panel:
        """The panel of some of the arms in another order, on the same items."""
        chosen = np.array(arms, dtype=np.int64)
        names = tuple(self.names[arm] for arm in arms)
        scores, asked, answered = self.scores[:, chosen], self.asked[:, chosen], self.answered[:, chosen]
        several = None if self.fits is None else self.fits.of_arms(chosen)
        few = None if self.few is None else self.few.of_arms(chosen)
        return replace(self, names=names, scores=scores, asked=asked, answered=answered, fits=several, few=few)

    def pairs(self, weights: NDArray[np.float64] | None = None, scores: NDArray[np.float64] | None = None) -> Pairwise:
        """The evidence of all pairs of arms; `scores` in place of the panel's own, units counted by `weights`."""
        if self.few is not None:
            return self.few.pairs
        held = pairwise.units(self.scores if scores is None else scores, self.clusters, self.strata).weighed(weights)
        return held if self.fits is None else self.fits.widened(held)

    def worst_pairs(self, weights: NDArray[np.float64] | None = None) -> Pairwise:
        """As `pairs`, with the failed calls against the first arm of each pair: see `pairwise.bounded`."""
        if self.few is not None:
            return self.few.worst
        held = pairwise.bounded(self.scores, self.lost, self.clusters, self.strata).weighed(weights)
        return held if self.fits is None else self.fits.widened(held)

    def shares(self, weights: NDArray[np.float64] | None = None, scores: NDArray[np.float64] | None = None) -> Shares:
        """The arms' means; `scores` in place of the panel's own, units counted by `weights`."""
        if self.few is not None and scores is None:
            return self.few.means.seen
        held = shares.shares(self.scores if scores is None else scores, self.clusters, weights, self.strata)
        return held if self.fits is None else self.fits.spread(held)

    def with_fits(self, arms: Sequence[Answers], items: NDArray[np.bool_] | None = None) -> Panel:
        """The panel with how far the fits of each arm lie apart, on all items or on some; see `Answers.rows`, `fit`."""
        worth = np.ones(len(self.items)) if self.strata is None else self.strata.worth
        weights = pd.Series(worth if items is None else np.where(items, worth, 0.0), index=self.items)
        several = fits.of([_by_fit(arm.rows, weights) for arm in arms])
        return replace(self, fits=several if several.is_several else None)

    def known(self, *arms: int) -> NDArray[np.bool_]:
        """The items on which all of these arms have a score."""
        return np.asarray(~np.isnan(self.scores[:, list(arms)]).any(axis=1))


@dataclass(frozen=True)
class Rows:
    """Predictions as columns: the numbers of arm and item, the score (nan: failed), and whether there is an answer."""

    arm: NDArray[np.int64]
    item: NDArray[np.int64]
    score: NDArray[np.float64]
    answered: NDArray[np.bool_]


def of(arms: Sequence[Answers]) -> Panel:
    """The panel of some arms' rows, on all items that any of them was asked."""
    codes, items = pd.factorize(np.concatenate([arm.rows["example_id"].to_numpy(object) for arm in arms]))
    groups = np.full(len(items), None, dtype=object)
    every = [arm.rows["group"] if "group" in arm.rows else pd.Series([None] * len(arm.rows)) for arm in arms]
    groups[codes] = np.concatenate([column.to_numpy(object) for column in every])
    columns = Rows(
        np.repeat(np.arange(len(arms)), [len(arm.rows) for arm in arms]),
        np.asarray(codes, dtype=np.int64),
        np.concatenate([arm.rows["credit"].astype("Float64").to_numpy(float, na_value=np.nan) for arm in arms]),
        np.concatenate([arm.rows["label"].notna().to_numpy(bool) for arm in arms]),
    )
    together = of_rows([arm.name for arm in arms], np.asarray(items, dtype=object), groups, columns)
    several = fits.of([arm.fits for arm in arms]) if any(arm.fits for arm in arms) else None
    is_binary = all(arm.task.rules.IS_BINARY and not arm.is_judged_anew for arm in arms)
    return replace(together, is_binary=is_binary, fits=several)


def of_rows(names: Sequence[str], items: NDArray[np.object_], groups: NDArray[np.object_], rows: Rows) -> Panel:
    """The panel of predictions that come as columns; several rows of an arm and item are repeats."""
    shape = (len(items), len(names))
    cell = rows.item * len(names) + rows.arm
    counts = np.bincount(cell, minlength=len(items) * len(names)).reshape(shape)
    is_known = ~np.isnan(rows.score)
    scored = np.bincount(cell[is_known], minlength=counts.size).reshape(shape)
    sums = np.bincount(cell[is_known], weights=rows.score[is_known], minlength=counts.size).reshape(shape)
    answered = np.zeros(counts.size, dtype=np.bool_)
    answered[cell[rows.answered]] = True
    return Panel(
        tuple(names),
        items,
        np.divide(sums, scored, out=np.full(shape, np.nan), where=scored > 0),
        counts > 0,
        answered.reshape(shape),
        clusters_of(groups),
        is_repeated=bool((counts > 1).any()),
    )


def part(whole: Panel, arms: Sequence[int]) -> Panel:
    """The panel of some of its arms, on the items that any of them was asked."""
    chosen = list(arms)
    asked = whole.asked[:, chosen]
    items: NDArray[np.bool_] = np.asarray(asked.any(axis=1))
    return replace(
        whole,
        names=tuple(whole.names[arm] for arm in chosen),
        items=whole.items[items],
        scores=whole.scores[items][:, chosen],
        asked=asked[items],
        answered=whole.answered[items][:, chosen],
        clusters=None if whole.clusters is None else whole.clusters[items],
        strata=None if whole.strata is None else whole.strata.rows(items),
        fits=None if whole.fits is None else whole.fits.of_arms(np.array(chosen, dtype=np.int64)),
    )


def clusters_of(groups: NDArray[np.object_]) -> NDArray[np.int64] | None:
    """A code per group; an item without a group is one by itself. None when no group has two items."""
    codes, names = pd.factorize(groups)  # -1 where there is no group
    if len(names) == int((codes >= 0).sum()):
        return None
    alone = codes < 0
    codes[alone] = len(names) + np.arange(int(alone.sum()))
    return np.asarray(codes, dtype=np.int64)


def _by_fit(rows: pd.DataFrame, weights: pd.Series[float]) -> tuple[float, ...]:
    """The weighed mean credit of each fit of an arm; nothing where there is one."""
    if "fit" not in rows or rows["fit"].nunique() < 2:
        return ()
    scored = rows.dropna(subset=["credit"])
    worth = scored["example_id"].map(weights).to_numpy(float)
    of_fit = np.unique(scored["fit"].to_numpy(np.int64), return_inverse=True)[1]
    total = np.bincount(of_fit, weights=worth)
    sums = np.bincount(of_fit, weights=worth * scored["credit"].to_numpy(float))
    return tuple(float(hits / n) for hits, n in zip(sums, total, strict=True) if n > 0)


def share(rows: pd.DataFrame, name: str = "accuracy") -> Estimate:
    """The mean credit of an arm's rows that did not fail, with Wilson's interval at what their groups are worth."""
    credit = rows["credit"].astype("Float64").to_numpy(float, na_value=np.nan)
    known = ~np.isnan(credit)
    groups = clusters_of(rows["group"].to_numpy(object)[known]) if "group" in rows else None
    return margins.share(credit[known], groups, name=name)


def by_item(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per item: its mean credit over repeats (None: failed each time), gold, label, group, answered."""
    ordered = rows.assign(
        score=rows["credit"].astype("Float64"), is_answered=rows["label"].notna(), label=rows["label"].astype(object)
    )
    if "group" not in ordered:
        ordered["group"] = None
    if ordered["example_id"].is_unique:
        return ordered.set_index("example_id")[["score", "gold", "label", "group", "is_answered"]]
    items = ordered.groupby("example_id", sort=True)
    first = items[["gold", "label", "group"]].first()
    return first.assign(score=items["score"].mean(), is_answered=items["is_answered"].any())


def codes_of(rows: pd.DataFrame) -> NDArray[np.int64]:
    """A number per row: the same for rows of one group, its own for a row without."""
    return cluster_codes(rows["group"].to_numpy(object)) if "group" in rows else np.arange(len(rows))


def cluster_codes(groups: NDArray[np.object_]) -> NDArray[np.int64]:
    """A number per item: the same for items of one group, its own for an item without."""
    found = clusters_of(groups)
    return np.arange(len(groups)) if found is None else found

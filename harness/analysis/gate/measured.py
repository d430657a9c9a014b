"""What the gate reads: both sides' rows on the same items, paired, and what the items are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import measures, panel
from harness.datasets.task import SINGLE, Task
from harness.errors import ConfigError, MissingAnswers
from harness.types import Outcome

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.few_labels import FewLabels
    from harness.analysis.gate.findings import Side
    from harness.stats.strata import Strata
    from harness.store import PassedOver


@dataclass(frozen=True)
class Measured:
    """Candidate and baseline on one split, rows as in `Store.predictions`, repeats among them.

    `items` are the ids that both must have answered. `slices` holds item ids by the slice's name;
    `injected` maps an injected row's id to the id of the item it was made of, and
    `injected_rows` are the candidate's answers to such rows of another split. `unchanged` says that
    the candidate is the baseline: the same run, the same answers. `task` is what was asked. With `few` candidate and
    baseline, in this order, are estimated from few labels, and `rows` are of all items.
    """

    candidate: Side
    baseline: Side
    rows: pd.DataFrame
    baseline_rows: pd.DataFrame
    dataset: str
    dataset_id: str
    split: str
    items: tuple[str, ...]
    looks: int = 0
    unchanged: bool = False
    slices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    injected: Mapping[str, str] = field(default_factory=dict)
    injected_rows: pd.DataFrame | None = None
    passed_over: tuple[PassedOver, ...] = ()
    task: Task = SINGLE
    few: FewLabels | None = None


@dataclass(frozen=True)
class Paired:
    """One row per item that neither side failed on: gold, both scores, and a number per cluster.

    `strata` weigh the items to another mix of labels.
    """

    items: pd.DataFrame
    codes: NDArray[np.int64]
    failed: int
    strata: Strata | None = None

    @property
    def differences(self) -> NDArray[np.float64]:
        """The candidate's score minus the baseline's, in [-1, 1]."""
        gap: NDArray[np.float64] = self.items["score_a"].to_numpy(float) - self.items["score_b"].to_numpy(float)
        return gap

    def where(self, mask: NDArray[np.bool_]) -> Paired:
        """The part of the items that the mask chooses, each counted once: a class or a slice is not weighed."""
        return Paired(self.items[mask], self.codes[mask], self.failed)


def paired(measured: Measured, max_failed: float, label_mix: Mapping[str, float] | None = None) -> Paired:
    """The pairs; `MissingAnswers` when a side lacks items, or failed on more than `max_failed` of them.

    With `label_mix` they are weighed to it; `ConfigError` where that cannot be.
    """
    wanted = set(measured.items)
    if not wanted:
        raise ConfigError(f"{measured.dataset} / {measured.split} has no items to compare on")
    mine = _of_items(measured.rows, wanted, f"the candidate, {measured.candidate.name},")
    theirs = _of_items(measured.baseline_rows, wanted, f"the baseline, {measured.baseline.name},")
    shared = mine.merge(theirs, left_index=True, right_index=True, suffixes=("_a", "_b"))
    scored = shared.dropna(subset=["score_a", "score_b"])
    failed = len(shared) - len(scored)
    if failed > max_failed * len(wanted):
        raise MissingAnswers(
            f"{failed:,} of {len(wanted):,} items have no reply (at most {max_failed:.3g} of them may lack one: "
            "max_failed); the same command asks them again"
        )
    codes = panel.cluster_codes(scored["group_a"].to_numpy(object))
    return Paired(scored, codes, failed, _strata(scored["gold_a"].to_numpy(object), label_mix))


def _strata(gold: NDArray[np.object_], label_mix: Mapping[str, float] | None) -> Strata | None:
    return measures.strata_of(gold, label_mix) if label_mix else None


def _of_items(rows: pd.DataFrame, wanted: set[str], who: str) -> pd.DataFrame:
    mine = panel.by_item(rows[rows["example_id"].isin(wanted)])
    if len(mine) < len(wanted):
        missing = sorted(wanted - set(mine.index))
        raise MissingAnswers(
            f"{who} has {len(mine):,} of the {len(wanted):,} items that are compared; the first that is missing is "
            f"{missing[0]!r}; run it on the whole split, or give the same --limit"
        )
    return mine


def replied(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a reply, whatever it says."""
    return rows[rows["outcome"] != Outcome.FAILED.value]


def clusters_of(rows: pd.DataFrame) -> NDArray[np.int64]:
    """A number per row: the same for rows of one group, and for the repeats of one item."""
    groups = rows["group"] if "group" in rows else rows["example_id"]
    keys = groups.where(groups.notna(), "item " + rows["example_id"].astype(str))
    return np.unique(keys.to_numpy(str), return_inverse=True)[1].astype(np.int64)

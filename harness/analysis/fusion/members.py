"""The members of a fusion: their stored predictions over the same items, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.comparison import Answers
from harness.datasets.task import SINGLE, Task
from harness.errors import ConfigError
from harness.ground.ids import unit_interval
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

NEVER = float("inf")
"""The threshold that no score reaches: every item goes on."""
FOLDS = 10


@dataclass(frozen=True, slots=True)
class RoutingCost:
    """What choosing the arm of an item beforehand costs and takes, before that arm is asked."""

    cost_usd: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Member:
    """One arm over the items, in their order.

    `confidence` is its score; 1 where it answered without one, minus infinity where it gave no
    answer, so that no threshold accepts that. `cost_usd` and `latency_s` are NaN where unknown.
    """

    arm: str
    labels: NDArray[np.object_]
    credit: Numbers
    failed: Flags
    confidence: Numbers
    cost_usd: Numbers
    latency_s: Numbers

    def take(self, items: Flags) -> Member:
        """The same arm on some of the items."""
        return Member(
            self.arm,
            self.labels[items],
            self.credit[items],
            self.failed[items],
            self.confidence[items],
            self.cost_usd[items],
            self.latency_s[items],
        )

    @property
    def accuracy(self) -> float | None:
        """Its mean credit, failed items left out; None without any."""
        scored = ~self.failed
        return float(self.credit[scored].mean()) if scored.any() else None


@dataclass(frozen=True)
class Members:
    """Arms on the items that all of them were asked, in the order in which a cascade asks them.

    `unshared` items were asked of some arms only, and are left out. `rows` has an item per row:
    its id, gold label and group. With a `toll` they stand under a router: `confidence` is what was
    foreseen of an arm, and only the arm that an item is sent to is asked. `task` says what an answer is worth.
    """

    arms: tuple[Member, ...]
    rows: pd.DataFrame
    unshared: int = 0
    toll: RoutingCost | None = None
    task: Task = SINGLE

    @property
    def n(self) -> int:
        """The shared items, failed ones included."""
        return len(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The arms' names."""
        return tuple(arm.arm for arm in self.arms)

    @property
    def is_whole(self) -> Flags:
        """The items on which no arm failed: what every threshold is scored on."""
        return np.asarray(~np.logical_or.reduce([arm.failed for arm in self.arms]))

    def take(self, items: Flags) -> Members:
        """The same arms on some of the items."""
        return replace(self, arms=tuple(arm.take(items) for arm in self.arms), rows=self.rows[items])

    def whole(self) -> Members:
        """The arms on the items on which none of them failed."""
        return self.take(self.is_whole)

    def answers(self, name: str, labels: NDArray[np.object_], credit: Numbers) -> Answers:
        """What somebody said about these items, to be compared with others. `credit` NaN: failed."""
        return Answers(name, self.rows.assign(label=labels, credit=credit), task=self.task)

    def answers_of(self, member: Member) -> Answers:
        """A member's rows, to be compared with others."""
        return self.answers(member.arm, member.labels, np.where(member.failed, np.nan, member.credit))


def folds(members: Members) -> NDArray[np.int64]:
    """The tenth that each item belongs to: by its id, or by its group, which stays together."""
    return np.array([int(FOLDS * unit_interval("fold", name)) for name in cluster_names(members)], dtype=np.int64)


def cluster_names(members: Members) -> NDArray[np.str_]:
    """A name per cluster of items: the group, or the item itself where it has none."""
    groups = members.rows["group"] if "group" in members.rows else [None] * members.n
    keys = zip(members.rows["example_id"], groups, strict=True)
    return np.array([f"g{group}" if isinstance(group, str) else f"i{item}" for item, group in keys])


def members(answers: Sequence[Answers]) -> Members:
    """The arms over the items that all of them were asked; `ConfigError` when they share none.

    The rows are those of `Store.predictions`, one run an arm.
    """
    frames = [one.rows.set_index("example_id", drop=False).sort_index() for one in answers]
    shared = reduce(lambda a, b: a.intersection(b), (frame.index for frame in frames))
    if len(shared) == 0:
        names = " and ".join(one.name for one in answers)
        raise ConfigError(f"{names} have no item in common; a fusion needs runs on the same items of a dataset")
    chosen = [frame.loc[shared.sort_values()] for frame in frames]
    arms = tuple(_member(one.name, frame) for one, frame in zip(answers, chosen, strict=True))
    columns = [name for name in ("example_id", "gold", "group") if name in chosen[0]]
    unshared = sum(len(frame) - len(shared) for frame in frames)
    return Members(arms, chosen[0][columns].reset_index(drop=True), unshared, task=answers[0].task)


def _member(name: str, rows: pd.DataFrame) -> Member:
    outcome = rows["outcome"].to_numpy(object)
    answered = outcome == Outcome.ANSWERED.value
    score = rows["score"].to_numpy(np.float64, na_value=np.nan)
    confidence = np.where(answered, np.where(np.isnan(score), 1.0, score), -np.inf)
    labels = rows["label"].to_numpy(object, copy=True)
    labels[~answered] = None
    return Member(
        name,
        labels=labels,
        credit=rows["credit"].astype("Float64").to_numpy(np.float64, na_value=0.0),
        failed=outcome == Outcome.FAILED.value,
        confidence=confidence,
        cost_usd=rows["cost_usd"].to_numpy(np.float64, na_value=np.nan),
        latency_s=rows["latency_s"].to_numpy(np.float64, na_value=np.nan),
    )

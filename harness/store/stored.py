"""What the store knows of a run beside its predictions, and which states and purposes stand for an arm."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from harness.errors import ConfigError
from harness.ground.shards import shard_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.ground.shards import ShardOf
    from harness.types import JSON, Purpose

Content: TypeAlias = "tuple[str, str | None, str]"
"""What tells arms apart: the arm's name, its model, and the id of what it is."""

DONE = "done"
DECIDED_EARLY = "decided early"
FINISHED = (DONE, "failed items", "missing items")
"""The states of runs that asked all their items. The others were stopped, or are still running."""

STANDING: tuple[Purpose, ...] = ("whole", "fold", "limited")
"""The purposes of runs that may stand for their arm, the best first."""

MOST_MISSING = 0.05
"""The share of the items that a finished run may lack and still be shown beside the others."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as the store knows it, without its predictions. `n` counts its rows, `n_failed` those without a reply.

    `started_us` are microseconds since 1970.
    """

    run_id: str
    dataset_id: str
    dataset: str
    split: str
    arm: str
    arm_id: str
    model: str | None = None
    params: Mapping[str, JSON] = field(default_factory=dict)
    seed: int = 0
    n_train: int | None = None
    repeat: int = 0
    item_set: str = ""
    status: str = DONE
    started_us: int = 0
    n: int = 0
    n_failed: int = 0
    tag: str | None = None
    purpose: Purpose = "whole"

    @property
    def n_scored(self) -> int:
        """Its items that have a reply."""
        return self.n - self.n_failed

    @property
    def is_finished(self) -> bool:
        """Whether it asked all of its items, be it that some have failed."""
        return self.status in FINISHED

    @property
    def is_complete(self) -> bool:
        """Whether it is the arm on the whole split, every item answered for."""
        return self.status == DONE and self.purpose == "whole" and self.n_scored > 0

    @property
    def content(self) -> Content:
        """What tells it from runs of other arms."""
        return self.arm, self.model, self.arm_id

    @property
    def shard(self) -> ShardOf | None:
        """Which share of which run it is; None where it is none."""
        return shard_in(self.params) if self.purpose == "shard" else None

    def lacks_too_many(self, missing: int, n: int) -> bool:
        """Whether it cannot stand beside runs that have the `n` items of which it lacks so many."""
        return lacks_too_many(missing, n, is_meant_whole=self.is_finished and self.purpose != "limited")

    def fits(self, where: Where) -> bool:
        """Whether it asked the model that is wanted, if one is; an arm that asks none is what it is."""
        return where.model is None or self.model in (None, where.model)

    @property
    def state(self) -> str:
        """Why it is not the whole run that one would expect, in words; empty when it is."""
        if self.n_failed and not self.n_scored:
            return f"all of its {self.n:,} items failed"
        if self.status == "failed items":
            return f"{self.n_failed:,} of its {self.n:,} items failed"
        if self.status == DECIDED_EARLY:
            return f"ended early, after {self.n:,} items"
        if self.status == "running":
            return "still running, or killed: the same command goes on"
        if not self.is_finished:
            return f"{self.status} after {self.n:,} items"
        words = {
            "limited": f"limited to {self.n:,} items",
            "fold": "cross-validated",
            "part": "fitted to a part",
            "shard": "a shard",
        }
        return words.get(self.purpose, "items are missing" if self.status == "missing items" else "")


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A run that one might have expected where another stands, and why it does not."""

    name: str
    run_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Selected:
    """The runs that a name means: the first stands for them, the others are its repeats and further fits."""

    name: str
    runs: tuple[StoredRun, ...]
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def first(self) -> StoredRun:
        """The run that stands for all."""
        return self.runs[0]

    def checked(self, text: str) -> Selected:
        """Itself; `ConfigError` where it is a share of a run, which stands for nothing. `text` is what was typed."""
        if self.first.purpose != "shard":
            return self
        shard = self.first.shard
        raise ConfigError(
            f"{text!r} is {'a shard' if shard is None else shard.shard.words} of a run, and stands for nothing alone; "
            "put the parts together first: harness runs merge"
        )

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Their ids, the first one's first."""
        return tuple(run.run_id for run in self.runs)


@dataclass(frozen=True, slots=True)
class Where:
    """On which split of which dataset version a name is looked up, and on which model where an arm has several."""

    dataset_id: str
    dataset: str
    split: str
    model: str | None = None

    def holds(self, run: StoredRun) -> bool:
        """Whether a run was made there."""
        return (run.dataset_id, run.split) == (self.dataset_id, self.split)


def lacks_too_many(missing: int, n: int, *, is_meant_whole: bool) -> bool:
    """Whether a run that lacks so many of the items cannot stand beside those that have them."""
    return missing > (MOST_MISSING * n if is_meant_whole else 0)


def stored_runs(select: Callable[[str], list[dict[str, object]]]) -> list[StoredRun]:
    """The runs of a store, oldest first, through a function that answers queries on it."""
    columns = ", ".join(
        {"params": "params::text as params", "started_us": "epoch_us(started_at) as started_us"}.get(name, name)
        for name in StoredRun.__dataclass_fields__
    )
    return [_run(row) for row in select(f"select {columns} from runs order by started_at, run_id")]


def _run(row: Mapping[str, object]) -> StoredRun:
    known = {name: value for name, value in row.items() if value is not None}
    known["params"] = json.loads(str(row["params"] or "{}"))
    return StoredRun(**cast("dict[str, Any]", known))

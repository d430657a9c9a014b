"""Runs of shards as they lie in stores and files, and whether those of a run are all there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from harness.errors import MissingAnswers, StoreError
from harness.ground.ids import content_id
from harness.ground.shards import shard_in, without
from harness.store import run_parquet
from harness.store.stored import FINISHED
from harness.types import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.ground.shards import ShardOf
    from harness.store.store import Store
    from harness.types import JSON, Purpose

PLAIN = (
    *("run_id", "dataset_id", "dataset", "split", "arm", "arm_id", "model", "seed", "n_train", "repeat", "item_set"),
    *("status", "n", "content_hash", "wall_s", "fit_s", "code_version", "prices_as_of", "batch_latency_s"),
)
TEXTS = ("started_at", "finished_at", "params", "facts")
PARTS = (
    f"select {', '.join(PLAIN)}, {', '.join(f'{name}::text as {name}' for name in TEXTS)} from runs "
    "where purpose = 'shard' order by runs.started_at, run_id"
)


@dataclass(frozen=True, slots=True)
class Part:
    """The run of a shard, which share of which run it is, and where it lies: in a store, or in the file `path`.

    `is_here`: in the store that is merged in.
    """

    facts: Mapping[str, object]
    shard: ShardOf
    path: Path | None = None
    store: Store | None = field(default=None, compare=False)
    is_here: bool = False

    @property
    def run_id(self) -> str:
        """Its own id."""
        return str(self.facts["run_id"])

    @property
    def words(self) -> str:
        """What it is called in messages."""
        there = "" if self.is_here else f" in {self.path or (self.store and self.store.name)}"
        return (
            f"{self.shard.shard.words} of {self.facts['arm']} on {self.facts['dataset']} / {self.facts['split']}{there}"
        )

    def whole(self) -> Run:
        """The run that it is a part of; `StoreError` where it says another id than that run has."""
        facts = self.facts
        names = ("dataset_id", "split", "arm", "arm_id", "model", "seed", "n_train", "repeat")
        run = Run(
            self.shard.run_id,
            **{name: facts[name] for name in names},  # type: ignore[arg-type]  # as they were stored
            params=without(cast("dict[str, JSON]", facts["params"])),
            item_set=self.shard.item_set,
            purpose=cast("Purpose", self.shard.purpose),
        )
        if run.id not in map(content_id, _identities(run)) or self.shard.purpose not in ("whole", "limited", "fold"):
            raise StoreError(f"{self.words}: it says that it belongs to run {run.id}, which would be another one")
        return run


def _identities(run: Run) -> Iterator[dict[str, JSON]]:
    """What may hash to the id of a run: `building` leaves out what an arm without a model, or a prompt, never has."""
    for absent in ({"model": None, "repeat": 0}, {"seed": 0}):
        if all(run.identity[name] == value for name, value in absent.items()):
            yield {name: value for name, value in run.identity.items() if name not in absent}


def parts_of(store: Store, *, is_here: bool = False) -> list[Part]:
    """The shards in a store; `is_here`: in the one that is merged in, which need not be there yet."""
    if is_here and not store.exists():
        return []
    with store.reader() as select:
        rows = select(PARTS)
    return [replace(part, store=store, is_here=is_here) for row in rows if (part := _part(row)) is not None]


def parts_in_file(path: Path) -> list[Part]:
    """The shards in an exported file of runs."""
    told = run_parquet.contents(path)
    if told is None:
        raise StoreError(f"{path} is neither a store nor a file of runs; harness runs export writes one")
    rows = [{name: getattr(run, name, None) for name in (*PLAIN, *TEXTS)} for run in told.runs]
    return [replace(part, path=path) for row in rows if (part := _part(row)) is not None]


def _part(row: Mapping[str, object]) -> Part | None:
    params = json.loads(str(row["params"] or "{}"))
    shard = shard_in(params)
    facts = {**row, "params": params, "facts": json.loads(str(row["facts"] or "{}"))}
    return None if shard is None else Part(facts, shard)


def complete(parts: Sequence[Part]) -> list[Part]:
    """The parts of one run in their order, each once; `MissingAnswers` names those that are not there or not done."""
    first = parts[0]
    found = {part.shard.shard.part: part for part in reversed(parts) if part.facts["status"] in FINISHED}
    begun = {part.shard.shard.part: part for part in parts}
    missing = [place for place in range(1, first.shard.shard.of + 1) if place not in found]
    if missing:
        place, of = missing[0], first.shard.shard.of
        arm = f"{first.facts['arm']} on {first.facts['dataset']} / {first.facts['split']}"
        why = f"is {begun[place].facts['status']}" if place in begun else "is not there"
        rest = f", and {len(missing) - 1} more of them" if len(missing) > 1 else ""
        raise MissingAnswers(
            f"part {place} of {of} of {arm} {why}{rest}; run its command (--shard {place}/{of}), then merge again"
        )
    return [found[place] for place in sorted(found)]

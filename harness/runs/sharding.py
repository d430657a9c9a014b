"""A job cut down to a share of its items: a run of its own, that never stands for the whole. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.ground.ids import content_id, item_set_id
from harness.ground.shards import ShardOf

if TYPE_CHECKING:
    from harness.ground.shards import Shard
    from harness.runs.job import Job


def of_job(job: Job, shard: Shard | None) -> Job:
    """The job on the items of a shard, fitted to all that the whole is fitted to; without a shard the job itself."""
    if shard is None:
        return job
    run, items = job.run, tuple(item for item in job.items if shard.holds(item.id))
    mark = ShardOf(shard, run.id, run.item_set, run.purpose).as_params()
    item_set = item_set_id([item.id for item in items])
    part = replace(run, params={**run.params, **mark}, item_set=item_set, purpose="shard")
    return replace(job, run=replace(part, id=content_id(part.identity)), items=items)

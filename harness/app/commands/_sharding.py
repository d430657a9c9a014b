"""What `eval`, `baselines` and `predict` share that lets one do a share of the items: `--shard i/n`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.ground import formatting, shards
from harness.runs import sharding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.app.project import Done
    from harness.ground.shards import Shard
    from harness.runs.job import Job

option = _options.option(
    "--shard",
    default=None,
    metavar="I/N",
    callback=lambda _context, _parameter, text: None if text is None else shards.parse(text),
    help="Only this share of the items, by a hash of their ids; merge later.",
)


def cut(jobs: Sequence[Job], shard: Shard | None) -> list[Job]:
    """The jobs on the items of the shard; without one, the jobs."""
    return [sharding.of_job(job, shard) for job in jobs]


def show(jobs: Sequence[Job], done: Sequence[Done], shard: Shard, *, as_json: bool) -> None:
    """What a shard came to. It is scored when it is merged: a share of a split says nothing of an arm alone."""
    pairs = list(zip(jobs, done, strict=True))
    if as_json:
        _options.print_json([_as_json(job, one, shard) for job, one in pairs])
        return
    for job, one in pairs:
        outcomes = ", ".join(f"{n:,} {outcome}" for outcome, n in one.progress.outcomes.most_common())
        before = f"{one.progress.already:,} stored before" if one.progress.already else ""
        came = f": {', '.join(filter(None, (outcomes, before)))}" if outcomes or before else ""
        click.echo(f"{job.run.arm}, {shard.words}: {formatting.plural(one.progress.done, 'item')}{came}")
    click.echo(f"Stored, and scored when all {shard.of} parts are there and merged: harness runs merge [STORES]")


def _as_json(job: Job, done: Done, shard: Shard) -> dict[str, object]:
    progress = done.progress
    return {
        "run_id": done.run_id,
        "arm": job.run.arm,
        "model": job.run.model,
        "shard": {"part": shard.part, "of": shard.of},
        "whole_run_id": job.run.params[shards.MARK]["run_id"],  # type: ignore[call-overload,index]  # it is a shard
        "n": progress.done,
        "outcomes": {outcome.value: n for outcome, n in progress.outcomes.items()},
        "billed_usd": progress.billed_usd,
        "calls": {"sent": done.calls.sent, "cached": done.calls.cached, "retried": done.calls.retried},
        "wall_s": done.wall_s,
    }

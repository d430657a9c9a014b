"""Runs: list and show what the store holds, tag it, remove it.

Example: harness runs list --dataset emoji-tags@v1
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from harness import numbers
from harness.commands import _evaluation, _options
from harness.commands._groups import print_table
from harness.workspace import checked_name


@click.group(help=__doc__)
def command() -> None:
    """What the store holds."""


@dataclass(frozen=True, slots=True)
class List(_options.Where):
    """What `runs list` was given."""

    dataset: str | None


@command.command("list")
@_options.gathered(List, _options.dataset, *_options.WHERE)
def list_(options: List) -> None:
    """The runs of the store, newest first.

    Example: harness runs list
    """
    project = options.project()
    dataset_id = project.dataset(options.dataset).id if options.dataset else None
    frame = project.store.runs(dataset_id).sort_values("started_at", ascending=False)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    if options.as_json:
        _options.print_json(rows)
        return
    print_table(
        ("run", "dataset", "split", "arm", "model", "n", "status", "tag", "started (UTC)"),
        [
            (
                str(row["run_id"]),
                str(row["dataset"]),
                str(row["split"]),
                str(row["arm"]),
                str(row["model"] or ""),
                numbers.count(row["n"]),
                str(row["status"]),
                str(row["tag"] or ""),
                f"{row['started_at']:%Y-%m-%d %H:%M}",
            )
            for row in rows
        ],
        numeric=("n",),
    )


@dataclass(frozen=True, slots=True)
class One(_options.Where):
    """A command about one run: its id, a unique prefix of it, a tag, or an arm's name."""

    run: str


RUN = click.argument("run", metavar="RUN")


@command.command()
@_options.gathered(One, RUN, *_options.WHERE)
def show(options: One) -> None:
    """One run, summed up: by id, unique prefix, tag, or arm name.

    Example: harness runs show minilm-lr
    """
    project = options.project()
    results = project.run_results(options.run)
    result = results.runs[0]
    if options.as_json:
        _options.print_json(_evaluation.run_json(results, result, files=()))
        return
    _evaluation.print_scorecard(results)
    click.echo(f"\nrun {result.run.run_id}, {result.run.status}, started {result.run.started_at:%Y-%m-%d %H:%M}")
    for name, value in result.run.params.items():
        click.echo(f"{name}: {value}")


@dataclass(frozen=True, slots=True)
class Tag(One):
    """What `runs tag` was given."""

    tag: str


@command.command()
@_options.gathered(Tag, RUN, click.argument("tag"), *_options.WHERE)
def tag(options: Tag) -> None:
    """Give a run a name that other commands take.

    Example: harness runs tag minilm-lr production
    """
    store = options.project().store
    run_id = store.resolve(options.run)
    store.tag_run(run_id, checked_name(options.tag, "tag"))
    click.echo(f"{run_id} is now {options.tag!r}")


@command.command()
@_options.gathered(One, RUN, *_options.WHERE)
def rm(options: One) -> None:
    """Remove a run and its predictions; paid answers stay in the ledger.

    Example: harness runs rm s1:0123456789abcdef
    """
    store = options.project().store
    run_id = store.resolve(options.run)
    store.remove_run(run_id)
    click.echo(f"removed {run_id}")

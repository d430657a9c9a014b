"""The store itself: copy it into another, from a file to a team's lake or back.

Example: harness store copy results/harness.duckdb "ducklake:postgres:dbname=lake host=db.example.org"
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click

from harness.app.commands import _options
from harness.app.project import stores
from harness.ground import formatting, workspace
from harness.ground.clock import SystemClock
from harness.store import copying
from harness.store.store import Store

WANTED_TO = "look"

COPY = (
    click.argument("source", type=_options.STORE, metavar="FROM"),
    click.argument("target", type=_options.STORE, metavar="TO"),
    _options.option(
        "--data", default=None, metavar="PLACE", help="Folder or s3://... of a lake that is made; default: db_data."
    ),
    _options.root,
    _options.as_json,
)


@click.group(help=__doc__)
def command() -> None:
    """The store itself."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What `store copy` was given."""

    source: Path | str
    target: Path | str
    data: str | None
    root: Path | None
    as_json: bool


@command.command("copy")
@_options.gathered(Copy, *COPY)
def copy(options: Copy) -> None:
    """Copy a store into another, every run checked; what is there stays, and a copy that was killed goes on.

    Example: harness store copy "ducklake:postgres:dbname=lake" results/copy.duckdb
    """
    found = workspace.find(Path.cwd(), options.root)
    tell = partial(click.echo, err=True)
    source = Store(stores.at(found, options.source), SystemClock(), extensions=found.extensions)
    target = Store(stores.at(found, options.target, options.data), SystemClock(), extensions=found.extensions)
    for one in (source, target):
        one.database.tell = tell
    copied = copying.copy(source.database, target.database, lambda done, n: tell(f"run {done:,} of {n:,}"))
    if options.as_json:
        _options.print_json({"from": source.name, "to": target.name, **asdict(copied)})
        return
    click.echo(
        f"copied {formatting.plural(copied.runs, 'run')} with {formatting.plural(copied.rows, 'prediction')}, "
        f"{formatting.plural(copied.datasets, 'dataset')} and {formatting.plural(copied.prompts, 'prompt')}, "
        f"counts and content hashes as stored; {formatting.plural(copied.had, 'run')} stood there already"
    )

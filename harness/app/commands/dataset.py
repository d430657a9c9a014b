"""The data's life: import, fetch, verify, audit, diff, list, show and split labelled datasets.

Example: harness dataset import tickets.csv --name tickets --text body --label queue
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from harness import datasets
from harness.app.commands import (
    _dataset_audit,
    _dataset_facts,
    _dataset_import,
    _dataset_sample,
    _dataset_versions,
    _options,
)
from harness.errors import ConfigError
from harness.ground import formatting, plugins
from harness.ground.workspace import checked_name

WANTED_TO = "start"


@click.group(help=__doc__)
def command() -> None:
    """The data's life."""


for _one in (
    _dataset_import.import_,
    _dataset_audit.audit,
    _dataset_versions.diff,
    _dataset_versions.new_version,
    _dataset_sample.sample,
):
    command.add_command(_one)


FETCH = (
    click.argument("recipe"),
    _options.option("--from", "source", type=_options.FOLDER, default=None, help="Folder with a local copy."),
)


@dataclass(frozen=True, slots=True)
class Fetch(_options.Where):
    """What `dataset fetch` was given."""

    recipe: str
    source: Path | None


@command.command()
@_options.gathered(Fetch, *FETCH, *_options.WHERE)
def fetch(options: Fetch) -> None:
    """Bring in a public dataset by its recipe: address, sha256, columns, licence.

    Example: harness dataset fetch banking77 --from ../data/banking77
    """
    root = options.project().workspace.root
    written = datasets.fetch(root, options.recipe, options.source)
    for folder in written:
        _dataset_facts.show(options, f"{folder.parent.name}@{folder.name}", written=[folder])


@dataclass(frozen=True, slots=True)
class One(_options.Where):
    """A command about one dataset version."""

    ref: str


REF = click.argument("ref", metavar="NAME@VERSION")


@command.command()
@_options.gathered(One, REF, *_options.WHERE)
def show(options: One) -> None:
    """A dataset version: its rows by split and label, its source and its id.

    Example: harness dataset show emoji-tags@v1
    """
    _dataset_facts.show(options, options.ref)


@command.command()
@_options.gathered(One, REF, *_options.WHERE)
def verify(options: One) -> None:
    """Check that a dataset version is what it was when it was released; exit 1 when it is not.

    Example: harness dataset verify emoji-tags@v1
    """
    found = datasets.verify(options.project().workspace.root, options.ref)
    if options.as_json:
        _options.print_json(asdict(found))
    elif found.problems:
        click.echo("\n".join(f"{options.ref}: {problem}" for problem in found.problems))
    else:
        click.echo(f"{found.ref}: {formatting.plural(found.n, 'row')}, as released ({found.id})")
    if found.problems:
        raise click.exceptions.Exit(1)


@command.command("list")
@_options.gathered(_options.Where, *_options.WHERE)
def list_(options: _options.Where) -> None:
    """The dataset versions of this workspace, and the recipes for more."""
    root = options.project().workspace.root
    refs, recipes = datasets.refs(root), plugins.names("datasets/recipes")
    if options.as_json:
        _options.print_json({"datasets": refs, "recipes": list(recipes)})
        return
    click.echo("\n".join(refs) or "no datasets yet")
    click.echo(f"\nharness dataset fetch: {', '.join(recipes)}")


SPLIT = (
    REF,
    _options.option("--to", required=True, metavar="VERSION", help="The version to make."),
    _options.option("--train", type=click.FloatRange(0, 1), default=0.6, help="Share of the training split."),
    _options.option("--dev", type=click.FloatRange(0, 1), default=0.2, help="Share of the dev split."),
    _options.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of the hash."),
    _options.option("--stratify", is_flag=True, help="Give every label the same shares; adding rows may move some."),
    _options.option("--time", metavar="COL", default=None, help="Split by this column of dates, the oldest to train."),
)


@dataclass(frozen=True, slots=True)
class Split(_options.Where):
    """What `dataset split` was given; the test split gets the rest."""

    ref: str
    to: str
    train: float
    dev: float
    seed: int
    stratify: bool
    time: str | None


@command.command()
@_options.gathered(Split, *SPLIT, *_options.WHERE)
def split(options: Split) -> None:
    """Make a new version with other splits: by hash of the group or the item, so adding rows moves none.

    Example: harness dataset split sms_spam@v1 --to v2 --train 0.7 --dev 0.1
    """
    if options.train + options.dev > 1:
        raise ConfigError(f"--train {options.train} and --dev {options.dev} are more than 1 together")
    shares = {"train": options.train, "dev": options.dev, "test": round(1 - options.train - options.dev, 9)}
    root = options.project().workspace.root
    if options.stratify and options.time:
        raise ConfigError("give --stratify or --time, not both: dates decide alone")
    draw = datasets.Draw(shares, options.seed, stratify=options.stratify, time=options.time)
    folder = datasets.resplit(root, options.ref, checked_name(options.to, "version"), draw)
    _dataset_facts.show(options, f"{folder.parent.name}@{folder.name}", written=[folder])

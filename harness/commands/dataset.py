"""The data's life: import, fetch, verify, audit, diff, list, show and split labelled datasets.

Example: harness dataset import tickets.csv --name tickets --text body --label queue
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console

from harness import datasets, numbers, plugins
from harness.commands import _dataset_audit, _dataset_sample, _dataset_versions, _options
from harness.commands._groups import print_table
from harness.datasets import loading, manifest, remote, sampling, splits
from harness.datasets.manifest import Manifest
from harness.errors import ConfigError
from harness.workspace import checked_name


@click.group(help=__doc__)
def command() -> None:
    """The data's life."""


for _one in (_dataset_audit.audit, _dataset_versions.diff, _dataset_versions.new_version, _dataset_sample.sample):
    command.add_command(_one)


IMPORT = (
    click.argument("file", required=False),
    _options.option("--name", required=True, help="The dataset's name."),
    _options.option("--version", default="v1", help="The version to make."),
    _options.option("--text", default=None, metavar="COL", help="Column of the text."),
    _options.option("--label", default=None, metavar="COL", help="Column of the gold label."),
    _options.option("--id", default=None, metavar="COL", help="Column of a unique id."),
    _options.option("--tags", default=None, metavar="COL", help="Column of tags."),
    _options.option("--tags-separator", default="|", help="What stands between two tags."),
    _options.option("--group", default=None, metavar="COL", help="Rows of one group stay in one split."),
    _options.option("--split-column", default=None, metavar="COL", help="Column that names the split."),
    _options.option("--train", type=_options.FILE, default=None, help="File of the training split."),
    _options.option("--dev", type=_options.FILE, default=None, help="File of the development split."),
    _options.option("--test", type=_options.FILE, default=None, help="File of the test split."),
    _options.option("--seed", type=click.IntRange(min=0), default=0, help="Seed of the hash split."),
    _options.option("--encoding", default=None, help="Encoding; default: UTF-8, or what the file declares."),
    _options.option("--description", default="", help="One sentence about the data."),
    _options.option(
        "--append-labels", metavar="VERSION", default=None, help="FILE is a labelled sample of this version."
    ),
)


@dataclass(frozen=True, slots=True)
class Import(_options.Where):
    """What `dataset import` was given."""

    file: str | None
    name: str
    version: str
    text: str | None
    label: str | None
    id: str | None
    tags: str | None
    tags_separator: str
    group: str | None
    split_column: str | None
    train: Path | None
    dev: Path | None
    test: Path | None
    seed: int
    encoding: str | None
    description: str
    append_labels: str | None

    def files(self, scratch: Path) -> dict[str | None, Path]:
        """The files by the split they hold; None is a file whose rows are still to be split.

        A FILE that is an address is fetched into the folder `scratch`.
        """
        by_split: dict[str | None, Path | None] = {
            None: self._file(scratch),
            "train": self.train,
            "dev": self.dev,
            "test": self.test,
        }
        given = {split: path for split, path in by_split.items() if path is not None}
        if not given or (self.file is not None and len(given) > 1):
            raise ConfigError("give one FILE, or --train/--dev/--test FILE, not both and not none")
        return given

    def _file(self, scratch: Path) -> Path | None:
        if self.file is None:
            return None
        return remote.fetched(self.file, scratch) if remote.is_remote(self.file) else Path(self.file)


@command.command("import")
@_options.gathered(Import, *IMPORT, *_options.WHERE)
def import_(options: Import) -> None:
    """Make a dataset version of a CSV, TSV, JSONL or Parquet file: a path, an https address, or hub:OWNER/NAME/PATH.

    Example: harness dataset import sms.csv --name sms --text body --label kind --id id
    """
    project = options.project()
    if options.append_labels is not None:
        _append(options, options.append_labels)
        return
    if options.text is None or options.label is None:
        raise ConfigError("give --text COL and --label COL: which columns hold the text and its gold label")
    spec = datasets.ImportSpec(
        name=checked_name(options.name, "dataset"),
        version=checked_name(options.version, "version"),
        text=options.text,
        label=options.label,
        id=options.id,
        tags=options.tags,
        tags_separator=options.tags_separator,
        group=options.group,
        split_column=options.split_column,
        seed=options.seed,
        description=options.description,
        encoding=options.encoding,
        source={"address": options.file} if options.file and remote.is_remote(options.file) else {},
    )
    with tempfile.TemporaryDirectory() as scratch, Console(stderr=True).status("reading") as status:
        files = options.files(Path(scratch))
        made = datasets.import_files(
            project.workspace.root, spec, files, lambda n: status.update(f"{n:,} rows read (every row twice)")
        )
    for name, encoding in made.encodings.items():
        if encoding != "utf-8":
            click.echo(f"{name} was read as {encoding}", err=True)
    _tell(options, _facts(made), written=[made.folder])


def _append(options: Import, version: str) -> None:
    if options.file is None:
        raise ConfigError("give the labelled FILE that --append-labels takes")
    root = options.project().workspace.root
    name, made = checked_name(options.name, "dataset"), checked_name(options.version, "version")
    folder, waiting = sampling.append_labels(root, f"{name}@{version}", made, Path(options.file), options.encoding)
    if waiting:
        click.echo(f"{numbers.plural(waiting, 'row')} without a label left out", err=True)
    _show(options, f"{name}@{made}", written=[folder])


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
        _show(options, f"{folder.parent.name}@{folder.name}", written=[folder])


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
    _show(options, options.ref)


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
        click.echo(f"{found.ref}: {numbers.plural(found.n, 'row')}, as released ({found.id})")
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
    _show(options, f"{folder.parent.name}@{folder.name}", written=[folder])


@dataclass(frozen=True, slots=True)
class Facts:
    """What is told of a version: its manifest, its content id, and its rows by split and label."""

    read: Manifest
    id: str
    counts: dict[str, dict[str, int]]

    @property
    def n(self) -> int:
        """All rows."""
        return sum(sum(of_label.values()) for of_label in self.counts.values())


def _facts(made: datasets.Imported) -> Facts:
    """The facts of what was just imported, without reading a million rows once more."""
    read = manifest.read(made.folder)
    return Facts(read, read.content, splits.in_order(made.counts))


def _show(options: _options.Where, ref: str, written: list[Path] | None = None) -> None:
    project = options.project()
    dataset = project.dataset(ref)
    read = manifest.read(loading.find(project.workspace.root, dataset.ref))
    _tell(options, Facts(read, dataset.id, datasets.split_counts(dataset)), written)


def _tell(options: _options.Where, facts: Facts, written: list[Path] | None) -> None:
    project, read, counts = options.project(), facts.read, facts.counts
    paths = [_options.shown(project, folder) for folder in written or ()]
    ref = f"{read.name}@{read.version}"
    if options.as_json:
        _options.print_json(
            {
                "ref": ref,
                "id": facts.id,
                "kind": read.kind,
                "n": facts.n,
                "labels": list(read.labels),
                "splits": counts,
                "source": dict(read.source),
                "files": paths,
            }
        )
        return
    click.echo(f"{ref}  {numbers.plural(facts.n, 'item')}  {facts.id}")
    click.echo(read.description)
    rows = [(name, *(numbers.count(of_label.get(name, 0)) for of_label in counts.values())) for name in read.labels]
    totals = ("all", *(numbers.count(sum(of_label.values())) for of_label in counts.values()))
    print_table(("label", *counts), [*rows, totals], numeric=tuple(counts))
    for key, value in read.source.items():
        click.echo(f"{key}: {value}")
    for path in paths:
        click.echo(f"Wrote {path}")

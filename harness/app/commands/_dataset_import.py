"""`harness dataset import`: people's files as a version, or one line that names the next command."""

from __future__ import annotations

import math
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from harness import datasets
from harness.app.commands import _dataset_facts, _options
from harness.datasets import ImportSpec, label_names, layouts, relabelling, remote, sampling, way_out
from harness.datasets.layouts import Layout
from harness.datasets.problems import ImportProblem
from harness.errors import ConfigError, DatasetError
from harness.ground import formatting, plugins
from harness.ground.workspace import EXTENSIONS, checked_name

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("text", "label", "id", "tags", "group", "split_column", "encoding", "separator", "columns")
IMPORT = (
    click.argument("file", required=False),
    _options.option("--name", required=True, help="The dataset's name."),
    _options.option("--version", default="v1", help="The version to make."),
    _options.option("--text", default="", metavar="COL", help="Column of the text; a.b is b inside the objects of a."),
    _options.option("--label", default="", metavar="COL", help="Column of the gold label."),
    _options.option(
        "--kind",
        default="single",
        metavar="KIND",
        help="What an answer is: single, multi (several labels), extract (fields), score (a number), or your own.",
    ),
    _options.option(
        "--labels-separator", default=None, metavar="CHAR", help="Kind multi: what stands between two labels of a cell."
    ),
    _options.option(
        "--field",
        multiple=True,
        metavar="NAME=COLUMN",
        help="Kind extract: a field and its column. Repeatable; or --label names a column of JSON objects.",
    ),
    _options.option(
        "--range", type=float, nargs=2, default=None, metavar="LOW HIGH", help="Kind score: the ends of the scale."
    ),
    _options.option(
        "--rater", multiple=True, metavar="COL", help="Column of one person's answers; no arm sees it. Repeatable."
    ),
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
    _options.option(
        "--separator",
        default=None,
        metavar="CHAR",
        help="What stands between two cells: a character, or comma, semicolon, tab, pipe; default: found out.",
    ),
    _options.option(
        "--columns", default=None, metavar="A,B,...", help="Names of the columns of a file without a header line."
    ),
    *_options.TABLE,
    _options.option(
        "--relabel",
        multiple=True,
        metavar="OLD=NEW|FILE",
        help="Another name for a label, or a CSV, JSON or TOML file of them; an empty NEW: none. Repeatable.",
    ),
    _options.option(
        "--labels",
        default=None,
        metavar="A,B,...|FILE",
        help="The closed set, or a CSV, JSON or TOML file of labels and what they mean; rows without one are kept.",
    ),
    _options.option("--drop-unlabelled", is_flag=True, help="Leave out rows without a label; else they are refused."),
    _options.option("--drop-empty", is_flag=True, help="Leave out rows without a text; else they are refused."),
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
    text: str
    label: str
    kind: str
    labels_separator: str | None
    field: tuple[str, ...]
    range: tuple[float, float] | None
    rater: tuple[str, ...]
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
    separator: str | None
    columns: str | None
    sheet: str | None
    header: int | None
    relabel: tuple[str, ...]
    labels: str | None
    drop_unlabelled: bool
    drop_empty: bool
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

    def spec(self, root: Path) -> ImportSpec:
        """What the options say about columns and rows; raises for a name that is none."""
        return ImportSpec(
            name=checked_name(self.name, "dataset"),
            version=checked_name(self.version, "version"),
            text=layouts.column_name(self.text),
            label=layouts.column_name(self.label),
            kind=plugins.known("kinds", self.kind, root / EXTENSIONS),
            labels_separator=self.labels_separator,
            fields=_fields(self.field),
            range=checked_range(self.range),
            raters=layouts.column_names(self.rater),
            id=_named(self.id),
            tags=_named(self.tags),
            tags_separator=self.tags_separator,
            group=_named(self.group),
            split_column=_named(self.split_column),
            seed=self.seed,
            description=self.description,
            encoding=self.encoding,
            separator=self.separator,
            columns=layouts.column_names(self.columns.split(",")) if self.columns else (),
            sheet=self.sheet,
            header=self.header,
            relabel=relabelling.read(self.relabel),
            labels={} if self.labels is None else label_names.read(self.labels),
            is_closed=self.labels is not None,
            drop_unlabelled=self.drop_unlabelled,
            drop_empty=self.drop_empty,
            source={"address": self.file} if self.file and remote.is_remote(self.file) else {},
        )

    def typed(self, spec: ImportSpec) -> str:
        """The command that gives this spec, as it is typed."""
        words = ["harness", "dataset", "import", *([self.file] if self.file else [])]
        for name in ("train", "dev", "test", "name", "version"):
            value = getattr(self, name)
            if value is not None and value != "v1":
                words += [f"--{name}", str(value)]
        for name in ROLES:
            value = getattr(spec, name)
            if value:
                words += [f"--{name.replace('_', '-')}", ",".join(value) if name == "columns" else value]
        words += ["--sheet", spec.sheet] if spec.sheet else []
        words += ["--header", str(spec.header)] if spec.header else []
        words += ["--kind", spec.kind] * (spec.kind != "single")
        words += ["--labels-separator", spec.labels_separator] if spec.labels_separator else []
        words += [word for pair in spec.fields.items() for word in ("--field", "=".join(pair))]
        words += ["--range", *(f"{end:.15g}" for end in spec.range)] if spec.range else []
        words += [word for rater in spec.raters for word in ("--rater", rater)]
        words += ["--tags-separator", spec.tags_separator] * (spec.tags_separator != "|")
        words += ["--seed", str(spec.seed)] * (spec.seed != 0)
        words += [word for given in self.relabel for word in ("--relabel", given)]
        words += [] if self.labels is None else ["--labels", self.labels]
        words += ["--drop-unlabelled"] * spec.drop_unlabelled + ["--drop-empty"] * spec.drop_empty
        words += ["--description", spec.description] * bool(spec.description)
        words += ["--root", str(self.root)] * (self.root is not None)
        return shlex.join(words)


@click.command("import")
@_options.gathered(Import, *IMPORT, *_options.WHERE)
def import_(options: Import) -> None:
    """Make a dataset version of a file: a path, an https address, or hub:OWNER/NAME/PATH.

    CSV and its kin, TSV, JSON and JSONL (also as Label Studio, Prodigy, doccano, Argilla and Hugging Face
    write it), Excel, Parquet, fastText. What is repaired or left out is counted and said.

    Example: harness dataset import sms.csv --name sms --text body --label kind --id id
    """
    project = options.project()
    if options.append_labels is not None:
        _append(options, options.append_labels)
        return
    spec = options.spec(project.workspace.root)
    with tempfile.TemporaryDirectory() as scratch, Console(stderr=True).status("reading") as status:
        files = options.files(Path(scratch))
        try:
            made = datasets.import_files(
                project.workspace.root, spec, files, lambda n: status.update(f"{n:,} rows read (every row twice)")
            )
        except ImportProblem as problem:
            status.update("looking for the way out")
            raise _with_way_out(problem, options, spec, files) from None
    for name, encoding in made.encodings.items():
        if encoding != "utf-8":
            click.echo(f"{name} was read as {encoding}", err=True)
    _dataset_facts.tell(options, _dataset_facts.imported(made), written=[made.folder])


def _with_way_out(
    problem: ImportProblem, options: Import, spec: ImportSpec, files: Mapping[str | None, Path]
) -> DatasetError:
    """The problem, with the command that would go through."""
    found = way_out.sought(problem, spec, files)
    return problem if found is None else DatasetError(f"{problem}; next: {options.typed(found)}")


def _fields(given: tuple[str, ...]) -> dict[str, str]:
    """The columns by field; `ConfigError` for what is no NAME=COLUMN, or names a field twice."""
    fields: dict[str, str] = {}
    for pair in given:
        name, equals, column = pair.partition("=")
        if not (name.strip() and equals and column.strip()):
            raise ConfigError(f"--field {pair!r}; expected NAME=COLUMN, as in --field time=booking_time")
        if name.strip() in fields:
            raise ConfigError(f"--field: {name.strip()!r} has two columns; a field has one")
        fields[name.strip()] = layouts.column_name(column)
    return fields


def checked_range(given: tuple[float, float] | None) -> tuple[float, float] | None:
    """The ends of a scale; `ConfigError` where they are none."""
    if given is not None and not (math.isfinite(given[0]) and math.isfinite(given[1]) and given[0] < given[1]):
        raise ConfigError(f"--range {given[0]:g} {given[1]:g}; expected the lower end, then the upper end")
    return given


def _named(column: str | None) -> str | None:
    return layouts.column_name(column) or None if column else None


def _append(options: Import, version: str) -> None:
    if options.file is None:
        raise ConfigError("give the labelled FILE that --append-labels takes")
    root = options.project().workspace.root
    layout = Layout(encoding=options.encoding, sheet=options.sheet, header=options.header)
    name, made = checked_name(options.name, "dataset"), checked_name(options.version, "version")
    folder, waiting = sampling.append_labels(root, f"{name}@{version}", made, Path(options.file), layout)
    if waiting:
        click.echo(f"{formatting.plural(waiting, 'row')} without a label left out", err=True)
    _dataset_facts.show(options, f"{name}@{made}", written=[folder])

"""Runs: list and show what the store holds, tag it, remove it; bring runs in, take them out, merge shards.

Example: harness runs list --dataset emoji-tags@v1
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.app.commands import _completion, _evaluation, _options
from harness.app.commands._groups import print_table
from harness.app.project import exchange, merging, parcels, part_files
from harness.datasets.layouts import Layout
from harness.errors import ConfigError
from harness.ground import formatting, plugins
from harness.ground.workspace import checked_name
from harness.store import importing
from harness.store.matching import Columns

if TYPE_CHECKING:
    from harness.app.project import Project
    from harness.store import Selected

WANTED_TO = "look"


COLUMNS = ("run", "on", "name", "model", "n", "status", "tag", "UTC")
SHOWN_OF_ID = 12  # the beginning of an id is enough to name the run


@click.group(help=__doc__)
def command() -> None:
    """What the store holds."""


@dataclass(frozen=True, slots=True)
class List(_options.Moment):
    """What `runs list` was given."""

    dataset: str | None
    split: str | None


@command.command("list")
@_options.gathered(
    List, _options.dataset, _options.option("--split", default=None, help="Only of this split."), *_options.MOMENT
)
def list_(options: List) -> None:
    """The runs of the store, newest first.

    Example: harness runs list
    """
    project = options.project()
    dataset_id = project.dataset(options.dataset).id if options.dataset else None
    frame = project.store.runs(dataset_id, options.split).sort_values("started_at", ascending=False)
    selection = project.store.selection()
    rows = [
        {"name": selection.name(row["run_id"]), **row}
        for row in frame.astype(object).where(frame.notna(), None).to_dict("records")
    ]
    if options.as_json:
        _options.print_json(rows)
        return
    table = [
        {
            "run": str(row["run_id"])[:SHOWN_OF_ID],
            "on": f"{row['dataset']} / {row['split']}",
            "name": str(row["name"]),
            "model": str(row["model"] or ""),
            "n": formatting.count(row["n"]),
            "status": "" if row["status"] == "done" else str(row["status"]),
            "tag": str(row["tag"] or ""),
            "UTC": f"{row['started_at']:%m-%d %H:%M}",
        }
        for row in rows
    ]
    told = [name for name in COLUMNS if not table or any(row[name] for row in table)]
    print_table(told, [[row[name] for name in told] for row in table], numeric=("n", "run", "UTC"))


@dataclass(frozen=True, slots=True)
class One(_options.Where):
    """A command about one arm's runs: its name, a tag, a run id or the beginning of one; a name is of one split."""

    run: str
    dataset: str | None
    split: str
    model: str | None

    def selected(self, project: Project) -> Selected:
        """The runs that are meant; what was passed over is said on stderr."""
        chosen = project.anywhere(self.run, self.dataset, self.split, self.model)
        for line in _options.passed_over(chosen.passed_over):
            click.echo(line, err=True)
        return chosen


ONE = (
    _options.argument("run", _completion.ARMS, metavar="RUN"),
    _options.dataset,
    _options.option("--split", default="test", help="Split that a name is looked up on."),
    _options.model,
)


@command.command()
@_options.gathered(One, *ONE, *_options.WHERE)
def show(options: One) -> None:
    """One run, summed up: by name, tag, run id or the beginning of one. Of repeats, the first.

    Example: harness runs show minilm-lr
    """
    project = options.project()
    results = project.run_results(options.selected(project).first.run_id)
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
@_options.gathered(Tag, *ONE[:1], click.argument("tag"), *ONE[1:], *_options.WHERE)
def tag(options: Tag) -> None:
    """Give a run a name that other commands take.

    Example: harness runs tag minilm-lr production
    """
    project = options.project()
    run = options.selected(project).first
    project.store.tag_run(run.run_id, checked_name(options.tag, "tag"))
    click.echo(f"{run.run_id} ({run.arm} on {run.dataset} / {run.split}) is now {options.tag!r}")


@command.command()
@_options.gathered(One, *ONE, *_options.WHERE)
def rm(options: One) -> None:
    """Remove an arm's runs and their predictions; paid answers stay in the ledger.

    Example: harness runs rm s1:0123456789abcdef
    """
    project = options.project()
    for run_id in options.selected(project).run_ids:
        project.store.remove_run(run_id)
        click.echo(f"removed {run_id}")


@dataclass(frozen=True, slots=True)
class Export(One):
    """What `runs export` was given."""

    to: str | None
    overwrite: bool


@dataclass(frozen=True, slots=True)
class Merge(_options.Where):
    """What `runs merge` was given."""

    places: tuple[Path | str, ...]
    to: Path | None
    overwrite: bool
    keep: bool

    def labelled(self) -> list[Path]:
        """Parts of labelled files, if that is what is merged; `ConfigError` where there are stores among them."""
        files = [place for place in self.places if isinstance(place, Path)]
        if not any(map(part_files.is_part, files)):
            return []
        if len(files) < len(self.places):
            raise ConfigError("found a lake beside parts of a labelled file; merge each by itself")
        return files


@command.command()
@_options.gathered(
    Merge,
    click.argument("places", type=_options.STORE, nargs=-1, metavar="[STORE|FILE]..."),
    _options.option("--to", type=_options.FILE, default=None, metavar="OUT", help="Of labelled files: the whole one."),
    _options.overwrite,
    _options.option("--keep", is_flag=True, help="Leave the shards in the store beside the whole run."),
    *_options.WHERE,
)
def merge(options: Merge) -> None:
    """Put the runs of shards (--shard i/n) together, to the run that one process would have made.

    Shards lie in this store, in other stores (a lake too), or in files of `runs export`; those of this store are
    removed once they are part of the whole. Merged again, nothing changes. Labelled files of `predict --shard` become
    one file, in the order of the rows. Exit code 3 where a part is missing.

    Example: harness runs merge shards/*.duckdb
    """
    if files := options.labelled():
        _merge_files(options, files)
        return
    if options.to is not None:
        raise ConfigError("--to names the whole file of labelled parts; runs are merged in the store (--db)")
    project = options.project()
    came = merging.merge(project, options.places, keep=options.keep)
    if options.as_json:
        _options.print_json(asdict(came))
    else:
        for line in merging.sentences(came):
            click.echo(line)
    merging.complain_about_missing(came)


def _merge_files(options: Merge, files: list[Path]) -> None:
    made = part_files.merge(files, options.to, overwrites=options.overwrite)
    if options.as_json:
        _options.print_json(asdict(made) | {"files": [str(made.path)]})
    else:
        click.echo(f"{formatting.plural(made.rows, 'row')} of {made.parts} parts in their order")
        click.echo(f"wrote {made.path}")
    if made.failed:
        raise merging.MissingParts(f"{formatting.plural(made.failed, 'row')} failed; label the parts again, then merge")


SERVICES = plugins.names(parcels.FOLDER)


@command.command()
@_options.gathered(
    Export,
    *ONE,
    _options.option(
        "--to", default=None, metavar="WHERE", help=f".parquet or .csv file, or {' or '.join(SERVICES)}; default below."
    ),
    _options.overwrite,
    *_options.WHERE,
)
def export(options: Export) -> None:
    """Write a run and its repeats into a file that travels, with the hash of its rows inside.

    Without --to it goes to results/baselines/, which is committed. A .csv is a table for people. `mlflow`
    writes to the tracking server of MLFLOW_TRACKING_URI, `otel` sends spans to the collector of the OTEL_ variables.

    Example: harness runs export production --to results/baselines/production.parquet
    """
    project = options.project()
    if options.to in SERVICES:
        _handed_over(project, options)
        return
    to = None if options.to is None else Path(options.to)
    path, told = exchange.take_out(project, options.selected(project), to, overwrites=options.overwrite)
    shown = _options.shown(project, path)
    if options.as_json:
        _options.print_json(asdict(told) | {"files": [shown]})
        return
    click.echo(f"{shown}: {formatting.plural(told.n, 'row')} of {formatting.plural(max(len(told.runs), 1), 'run')}")
    if told.rows_sha256:
        click.echo(f"sha256 of the rows {told.rows_sha256}")


def _handed_over(project: Project, options: Export) -> None:
    receipts = []
    for receipt in parcels.hand_over(project, options.selected(project), str(options.to)):
        receipts.append({"run_id": receipt.run_id, **receipt.facts})
        if not options.as_json:
            click.echo(f"{receipt.run_id} {receipt.said}")
    if options.as_json:
        _options.print_json({"to": options.to, "runs": receipts})


IMPORT = (
    click.argument("file", type=_options.FILE),
    _options.dataset,
    _options.option("--split", default="test", help="Split that the predictions are for."),
    _options.option("--arm", default=None, metavar="NAME", help="Shown as import:NAME."),
    _options.option("--prediction", default=None, metavar="COL", help="Column of the predicted label."),
    _options.option("--id", "id_", default=None, metavar="COL", help="Column of the item's id."),
    _options.option("--text", default=None, metavar="COL", help="Column of the item's exact text."),
    _options.option("--score", default=None, metavar="COL", help="Column of the confidence, from 0 to 1."),
    _options.option("--outcome", default=None, metavar="COL", help="Column of answered, abstained, refused, ..."),
    _options.option("--cost", default=None, metavar="COL", help="Column of the dollars per item."),
    _options.option("--latency", default=None, metavar="COL", help="Column of the seconds per item."),
    *_options.TABLE,
    _options.option("--exact", is_flag=True, help="A label only where it is spelled as the dataset spells it."),
    _options.option("--keep-anyway", is_flag=True, help="Store it although its own accuracy is not what is found."),
    _options.option(
        "--filter", "filter_", default=None, metavar="NAME", help="lm-eval: the filter whose answers count."
    ),
    _options.option("--scorer", default=None, metavar="NAME", help="Inspect: the scorer whose answers count."),
    _options.option("--format", "form", default=None, metavar="TOOL", help=f"Of {', '.join(importing.FORMATS)}."),
)


@dataclass(frozen=True, slots=True)
class Import(_options.Where):
    """What `runs import` was given."""

    file: Path
    dataset: str | None
    split: str
    arm: str | None
    prediction: str | None
    id_: str | None
    text: str | None
    score: str | None
    outcome: str | None
    cost: str | None
    latency: str | None
    sheet: str | None
    header: int | None
    form: str | None
    exact: bool
    keep_anyway: bool
    filter_: str | None
    scorer: str | None


@command.command("import")
@_options.gathered(Import, *IMPORT, *_options.WHERE)
def import_(options: Import) -> None:
    """Bring in predictions made elsewhere: CSV, JSONL or Parquet by columns, or another tool's result file.

    Rows are matched with items by id, else by exact text. A file of `runs export` needs no other option.

    Example: harness runs import preds.csv --dataset tickets@v1 --arm legacy --prediction said --text body
    """
    project = options.project()
    if options.prediction is None and options.form is None and exchange.is_of_runs(options.file):
        _restored(project, options)
        return
    dataset = project.dataset(options.dataset)
    if options.arm is None:
        raise ConfigError("predictions need a name: give --arm NAME, and they are shown as import:NAME")
    rows = importing.rows(options.file, options.form, _columns(options), _variants(options))
    rules = exchange.Rules(exact=options.exact, keep_anyway=options.keep_anyway)
    came = exchange.bring_in(project, rows, dataset, options.split, options.arm, rules)
    results = project.run_results(came.run_id)
    if options.as_json:
        run = _evaluation.run_json(results, results.runs[0], files=())
        _options.print_json(run | {"import": exchange.facts(came.matched)})
    else:
        _evaluation.print_scorecard(results)
        click.echo("\n" + "\n".join(exchange.sentences(came.matched, dataset.label_names)))
    exchange.complain_about_missing(came.matched)


def _columns(options: Import) -> Columns | None:
    if options.prediction is None:
        if options.sheet or options.header:
            raise ConfigError("--sheet and --header are of a table: say which column holds the label, --prediction COL")
        return None
    return Columns(
        prediction=options.prediction,
        id=options.id_,
        text=options.text,
        score=options.score,
        outcome=options.outcome,
        cost=options.cost,
        latency=options.latency,
        layout=Layout(sheet=options.sheet, header=options.header),
    )


def _variants(options: Import) -> dict[str, str]:
    """Which of a file's several answers count, by what the tool calls them."""
    given = {"filter": options.filter_, "scorer": options.scorer}
    return {what: name for what, name in given.items() if name is not None}


def _restored(project: Project, options: Import) -> None:
    if options.arm is not None:
        raise ConfigError(f"{options.file} holds runs with their own names; leave --arm out")
    told = exchange.restore(project, options.file)
    if options.as_json:
        _options.print_json(asdict(told))
        return
    for run in told.runs:
        click.echo(
            f"{run.run_id}: {run.arm} on {run.dataset} / {run.split}, {formatting.plural(run.n, 'item')}, as exported"
        )

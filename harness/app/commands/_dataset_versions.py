"""`harness dataset diff` and `new-version`: from one version to the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.analysis import carryover
from harness.app.commands import _dataset_audit, _options
from harness.app.commands._groups import print_table
from harness.datasets import versions
from harness.errors import ConfigError
from harness.ground import formatting
from harness.ground.workspace import checked_name
from harness.store import STANDING

if TYPE_CHECKING:
    from harness.analysis.carryover import Carried
    from harness.app.project import Project
    from harness.datasets.versions import Change, Difference
    from harness.types import Dataset

WAYS = ("relabelled", "moved", "reworded", "regrouped")
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Two(_options.Where):
    """Two versions, and how many changed rows to print."""

    a: str
    b: str
    items: int


DIFF = (
    click.argument("a", metavar="A@VERSION"),
    click.argument("b", metavar="B@VERSION"),
    _options.option("--items", type=click.IntRange(min=0), default=10, help="Changed rows to print, of each kind."),
)


@click.command()
@_options.gathered(Two, *DIFF, *_options.WHERE)
def diff(options: Two) -> None:
    """What differs between two versions, row by row, and what that does to the runs in the store.

    Example: harness dataset diff tickets@v1 tickets@v2
    """
    project = options.project()
    old, new = project.dataset(options.a), project.dataset(options.b)
    found = versions.diff(old, new)
    runs = _carried(project, old, new)
    if options.as_json:
        _options.print_json({**asdict(found), "runs": [asdict(run) for run in runs]})
        return
    _show(found, options.items)
    _show_runs(runs, new)


def _carried(project: Project, old: Dataset, new: Dataset) -> list[Carried]:
    if not project.store.exists():
        return []
    selection = project.store.selection()
    runs = [run for run in selection.runs if run.dataset_id == old.id and run.purpose in STANDING]
    rows = project.store.predictions([run.run_id for run in runs])
    return [
        carryover.carried(
            {"run_id": run.run_id, "arm": selection.name(run.run_id), "split": run.split},
            rows[rows["run_id"] == run.run_id],
            old,
            new,
        )
        for run in runs
    ]


def _show(found: Difference, items: int) -> None:
    if found.is_empty:
        click.echo(f"{found.a} and {found.b} have the same rows")
        return
    counts = {name: len(getattr(found, name)) for name in ("added", "removed", *WAYS)}
    print_table(
        ("rows", f"{found.a} to {found.b}"),
        [("the same", f"{found.same:,}"), *((name, f"{n:,}") for name, n in counts.items())],
        numeric=(f"{found.a} to {found.b}",),
    )
    for name in WAYS:
        changes: tuple[Change, ...] = getattr(found, name)
        if changes and items:
            shown = [
                (change.id, formatting.one_line(change.before, LONGEST), formatting.one_line(change.after, LONGEST))
                for change in changes[:items]
            ]
            print_table((name, "was", "is"), shown)


def _show_runs(runs: list[Carried], new: Dataset) -> None:
    if not runs:
        return
    click.echo(f"\nRuns on the old version, if {new.ref} replaces it:")
    print_table(
        ("arm", "split", "kept", "relabelled", "gone", "to ask", "accuracy was", "on the kept"),
        [
            (
                run.arm,
                run.split,
                *(f"{n:,}" for n in (run.kept, run.relabelled, run.gone, run.to_ask)),
                formatting.with_interval(run.before),
                formatting.with_interval(run.after),
            )
            for run in runs
        ],
        numeric=("kept", "relabelled", "gone", "to ask"),
    )


@dataclass(frozen=True, slots=True)
class New(_options.Where):
    """What `dataset new-version` was given."""

    ref: str
    to: str
    edits: Path | None
    drop: Path | None
    group: str | None
    near: float
    encoder: str | None
    fresh: str | None
    seed: int


NEW = (
    click.argument("ref", metavar="NAME@VERSION"),
    _options.option("--to", required=True, metavar="VERSION", help="The version to make."),
    _options.option("--edits", type=_options.FILE, default=None, help="Table with a column id, and columns to change."),
    _options.option("--drop", type=_options.FILE, default=None, help="Ids of rows to leave out, one a line."),
    _options.option(
        "--group",
        type=click.Choice(["near-duplicates"]),
        default=None,
        help="Give rows that are nearly the same one group.",
    ),
    _options.option("--near", type=click.FloatRange(0.5, 1), default=0.90, help="Cosine that is near; of n-grams."),
    _options.option("--encoder", default=None, metavar="NAME", help="Near by meaning: compare embeddings."),
    _options.option("--fresh", default=None, metavar="SPLIT", help="Draw this split anew from the training items."),
    _options.seed,
)


@click.command("new-version")
@_options.gathered(New, *NEW, *_options.WHERE)
def new_version(options: New) -> None:
    """Make a new version of an old one: with edited cells, without some rows, with near-duplicates grouped.

    --fresh test: items that nobody has scored, to confirm a verdict on; the old ones train.

    Example: harness dataset new-version tickets@v1 --to v2 --edits corrections.csv
    """
    project = options.project()
    if options.edits is None and options.drop is None and options.group is None and options.fresh is None:
        raise ConfigError(
            "nothing to change: give --edits FILE, --drop FILE or --group near-duplicates, or --fresh SPLIT"
        )
    old = project.dataset(options.ref)
    folder = versions.new_version(
        project.workspace.root, old.ref, checked_name(options.to, "version"), _edits(project, options, old)
    )
    new = project.dataset(f"{old.name}@{options.to}")
    found = versions.diff(old, new)
    path = _options.shown(project, folder)
    if options.as_json:
        _options.print_json({"ref": new.ref, "id": new.id, "n": len(new.examples), **asdict(found), "files": [path]})
        return
    _show(found, items=0)
    click.echo(f"Wrote {path}")


def _edits(project: Project, options: New, old: Dataset) -> versions.Edits:
    fields = {name for example in old.examples[:1] for name in example.item.fields}
    told = [
        *([f"cells edited by {options.edits.name}"] if options.edits else []),
        *([f"rows dropped by {options.drop.name}"] if options.drop else []),
        *(
            [f"near-duplicates (cosine {options.near:g} of {options.encoder or 'n-grams'}) grouped"]
            if options.group
            else []
        ),
        *([f"{options.fresh} drawn anew from train, seed {options.seed}"] if options.fresh else []),
    ]
    cells = versions.read_cells(options.edits, fields) if options.edits else {}
    drawn = versions.fresh(old, options.fresh, options.seed) if options.fresh else {}
    return versions.Edits(
        cells={item_id: {**drawn.get(item_id, {}), **cells.get(item_id, {})} for item_id in {**drawn, **cells}},
        drop=versions.read_ids(options.drop) if options.drop else frozenset(),
        groups=_near_groups(project, options, old) if options.group else None,
        note="; ".join(told),
    )


def _near_groups(project: Project, options: New, old: Dataset) -> dict[str, str]:
    """A group for every row: near-duplicates and rows that had a group together get one, the others none."""
    # Imported when it is needed: it loads scikit-learn.
    how = _dataset_audit.near(project, options.near, options.encoder)
    families: dict[str, str] = import_module("harness.datasets.audit.families").families(old, how)
    return families

"""`harness dataset sample`: items to label next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.app.project import drawing
from harness.datasets import sampling, tables, text_files
from harness.datasets.layouts import Layout
from harness.errors import ConfigError, DatasetError, one_of
from harness.ground import formatting
from harness.ground.ids import content_id
from harness.types import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.app.project import Project

SAMPLE = (
    click.argument("ref", metavar="NAME@VERSION"),
    _options.option("--n", type=click.IntRange(min=1), default=100, help="How many items."),
    _options.option(
        "--how",
        type=click.Choice(drawing.HOW),
        default="random",
        help="All alike, or likelier where the answers leave most open.",
    ),
    _options.option("--split", default=None, help="Draw from this split alone."),
    _options.option("--pool", type=_options.FILE, default=None, help="Draw from this table of unlabelled texts."),
    _options.option("--text", metavar="COL", default="text", help="Column of the text in the pool."),
    *_options.TABLE,
    _options.option("--out", type=_options.FILE, required=True, help="CSV to write."),
    _options.seed,
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What `dataset sample` was given."""

    ref: str
    n: int
    how: str
    split: str | None
    pool: Path | None
    text: str
    sheet: str | None
    header: int | None
    out: Path
    seed: int


@click.command()
@_options.gathered(Options, *SAMPLE, *_options.WHERE)
def sample(options: Options) -> None:
    """Draw items to label next, as a CSV that `dataset import --append-labels` takes back.

    Example: harness dataset sample tickets@v1 --pool inbox.csv --text body --n 200 --out to-label.csv
    """
    project = options.project()
    if options.pool is not None and options.how != "random":
        raise ConfigError(
            f"--how {options.how} needs stored runs, and there are none on a pool; draw from it at random"
        )
    if options.out.exists():
        raise ConfigError(f"{options.out} is there already; labels may be in it: give another --out")
    drawn = _drawn(project, options)
    if not drawn:
        raise ConfigError(f"there is nothing to draw from {options.pool or options.ref}")
    options.out.write_bytes(sampling.written(drawn))
    if options.as_json:
        weights = [one.weight for one in drawn]
        plain = weights[0] if len(set(weights)) == 1 else None
        _options.print_json({"n": len(drawn), "weight": plain, "weights": weights, "files": [str(options.out)]})
        return
    low, high = (f"{pick(one.weight or 0 for one in drawn):,.4g}" for pick in (min, max))
    told = f"each stands for {low}" if low == high else f"each stands for {low} to {high}, as its column says"
    click.echo(f"{formatting.plural(len(drawn), 'item')}, {told}")
    back = (
        f"harness dataset import {options.out} --name {options.ref.partition('@')[0]} --version NEW --append-labels OLD"
    )
    click.echo(f"Wrote {options.out}; fill in its column label, then: {back}")


def _drawn(project: Project, options: Options) -> list[sampling.Drawn]:
    dataset = project.dataset(options.ref)
    if options.pool is not None:
        known = {example.item.text for example in dataset.examples}
        return sampling.at_random(_pool(options.pool, options, known), options.n, options.seed)
    items = [e.item for e in dataset.examples if options.split in (None, e.split)]
    return drawing.draw(project, dataset, items, options.n, options.how, options.seed)


def _pool(path: Path, options: Options, known: set[str]) -> Iterator[Item]:
    """The texts of the pool that are not in the dataset, each once."""
    seen, column = set(known), options.text
    for where, row in tables.read(path, Layout(wanted=(column,), sheet=options.sheet, header=options.header)):
        if column not in row:
            place = text_files.names_place(path, where)
            raise DatasetError(f"{place}: there is no column {column!r}; {one_of(column, row)}; name it: --text COL")
        text = row[column] or ""
        if not isinstance(text, str):
            raise DatasetError(f"{where}: column {column!r} holds a list; expected a text")
        if text.strip() and text not in seen:
            seen.add(text)
            yield Item(content_id([text, []]).partition(":")[2][:12], text)

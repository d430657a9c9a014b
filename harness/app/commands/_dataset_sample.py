"""`harness dataset sample`: items to label next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.datasets import sampling, tables
from harness.errors import ConfigError, DatasetError
from harness.ground import formatting
from harness.ground.ids import content_id
from harness.store import STANDING
from harness.types import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.app.project import Project

HOW = ("random", "uncertain", "disagreement")
SAMPLE = (
    click.argument("ref", metavar="NAME@VERSION"),
    _options.option("--n", type=click.IntRange(min=1), default=100, help="How many items."),
    _options.option("--how", type=click.Choice(HOW), default="random", help="Random to estimate; the others to train."),
    _options.option("--split", default=None, help="Draw from this split alone."),
    _options.option("--pool", type=_options.FILE, default=None, help="Draw from this table of unlabelled texts."),
    _options.option("--text", metavar="COL", default="text", help="Column of the text in the pool."),
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
        _options.print_json({"n": len(drawn), "weight": drawn[0].weight, "files": [str(options.out)]})
        return
    weight = drawn[0].weight
    told = "chosen, so without a weight" if weight is None else f"each stands for {weight:,.4g}"
    click.echo(f"{formatting.plural(len(drawn), 'item')}, {told}")
    back = (
        f"harness dataset import {options.out} --name {options.ref.partition('@')[0]} --version NEW --append-labels OLD"
    )
    click.echo(f"Wrote {options.out}; fill in its column label, then: {back}")


def _drawn(project: Project, options: Options) -> list[sampling.Drawn]:
    dataset = project.dataset(options.ref)
    if options.pool is not None:
        known = {example.item.text for example in dataset.examples}
        return sampling.at_random(_pool(options.pool, options.text, known), options.n, options.seed)
    items = [e.item for e in dataset.examples if options.split in (None, e.split)]
    if options.how == "random":
        return sampling.at_random(items, options.n, options.seed)
    worth = _worth(project, dataset.id, options.how)
    if not worth:
        raise ConfigError(
            f"{dataset.ref} has no stored run to ask; start with: harness baselines --dataset {dataset.ref}"
        )
    return sampling.by_worth(items, worth, options.n, options.seed)


def _pool(path: Path, column: str, known: set[str]) -> Iterator[Item]:
    """The texts of the pool that are not in the dataset, each once."""
    seen = set(known)
    for where, row in tables.read(path):
        text = row.get(column)
        if not isinstance(text, str):
            raise DatasetError(f"{where}: there is no column {column!r}; give --text COL")
        if text.strip() and text not in seen:
            seen.add(text)
            yield Item(content_id([text, []]).partition(":")[2][:12], text)


def _worth(project: Project, dataset_id: str, how: str) -> dict[str, float]:
    """How much a label would tell, by item: the arms' doubt in their answer, or how far apart the answers are."""
    if not project.store.path.exists():
        return {}
    runs = [run for run in project.store.selection().runs if run.dataset_id == dataset_id and run.purpose in STANDING]
    rows = project.store.predictions([run.run_id for run in runs])
    worth = {}
    for item_id, of_item in rows.groupby("example_id"):
        if how == "uncertain":
            scores = of_item["score"].dropna()
            worth[str(item_id)] = 1.0 if scores.empty else 1.0 - float(scores.mean())
        else:
            answers = Counter(str(label) for label in of_item["label"])
            worth[str(item_id)] = 1.0 - answers.most_common(1)[0][1] / len(of_item)
    return worth

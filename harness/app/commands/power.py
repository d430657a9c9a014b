"""What so many items can show, or how many a difference needs: before money is spent.

Example: harness power --difference 0.03 --disagreement 0.15
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, isfinite
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.errors import ConfigError
from harness.ground import formatting
from harness.stats import power

if TYPE_CHECKING:
    from harness.app.project import Project
    from harness.types import JSON

WANTED_TO = "compare"

USUAL_DISAGREEMENTS = (0.05, 0.10, 0.20, 0.30)
SHARE = click.FloatRange(0, 1, min_open=True)
OPTIONS = (
    _options.option("--n", type=click.IntRange(min=1), default=None, help="Items; default: those of the split."),
    _options.option("--difference", type=SHARE, default=None, help="Accuracy difference that should be found."),
    _options.option("--margin", type=SHARE, default=None, help="Loss that may not be: show no more than it."),
    _options.option("--disagreement", type=SHARE, default=None, help="Share of items on which just one arm is right."),
    _options.option("--power", "wanted", type=click.FloatRange(0.5, 0.999), default=0.8, help="Chance to find it."),
    _options.option("--alpha", type=click.FloatRange(0.0001, 0.5), default=0.05, help="Chance of a false alarm."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Moment):
    """What the command line chose."""

    n: int | None
    difference: float | None
    margin: float | None
    disagreement: float | None
    wanted: float
    alpha: float
    dataset: str | None
    split: str


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.split, *_options.MOMENT)
def command(options: Options) -> None:
    """Sizes and differences of a paired comparison."""
    if options.difference and options.disagreement and options.difference > options.disagreement:
        raise ConfigError(
            f"--difference {options.difference:g} with --disagreement {options.disagreement:g}: "
            "arms differ by at most the share of items on which they disagree"
        )
    n = options.n or _n_items(options.project(), options.dataset, options.split)
    disagreements = (options.disagreement,) if options.disagreement else USUAL_DISAGREEMENTS
    rows = [_row(n, disagreement, options) for disagreement in disagreements]
    if options.as_json:
        _options.print_json({"n": n, "alpha": options.alpha, "power": options.wanted, "rows": rows})
        return
    click.echo(
        f"Two arms on the same items, McNemar mid-P at {options.alpha:g}, power {options.wanted:g} "
        "(Connor 1987). Disagreement: the share of items on which just one is right.\n"
    )
    titles = ["disagreement", f"shown by {n:,} items"]
    if options.difference:
        titles.append(f"items for {formatting.share(options.difference)}")
    if options.margin:
        titles.append(f"items for a margin of {formatting.share(options.margin)}")
    print_table(titles, [_cells(row, options) for row in rows], numeric=titles)
    if options.margin:
        click.echo(
            "A margin: two arms that are equally good, shown to be no further apart (Tango 1998, one-sided at half)."
        )


def _n_items(project: Project, dataset: str | None, split: str) -> int:
    return len(project.dataset(dataset).labelled(split))


def _row(n: int, disagreement: float, options: Options) -> dict[str, JSON]:
    needed: float | None = None
    if options.difference is not None and options.difference <= disagreement:
        needed = power.needed_n(disagreement, options.difference, options.alpha, options.wanted)
    within: float | None = None
    if options.margin is not None:
        within = power.needed_n_within(disagreement, options.margin, alpha=options.alpha / 2, power=options.wanted)
    return {
        "disagreement": disagreement,
        "mde": power.mde(n, disagreement, options.alpha, options.wanted),
        "needed_n": ceil(needed) if needed is not None and isfinite(needed) else None,
        "needed_n_within": None if within is None else ceil(within),
    }


def _cells(row: dict[str, JSON], options: Options) -> tuple[str, ...]:
    mde, needed = row["mde"], row["needed_n"]
    cells = [
        formatting.share(float(str(row["disagreement"])), 2),
        "none" if mde is None else formatting.share(float(str(mde))),
    ]
    if options.difference:
        cells.append("impossible" if needed is None else f"{needed:,}")
    if options.margin:
        cells.append(f"{row['needed_n_within']:,}")
    return tuple(cells)

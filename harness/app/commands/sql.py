"""Ask the store in SQL: read-only, no file but the store is reached.

Example: harness sql "select arm, avg(credit) from scored group by arm order by 2 desc"
"""

from __future__ import annotations

from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from harness.app.commands import _options
from harness.ground import formatting
from harness.store import LONGEST_QUERY_S, QUERY_S

OPTIONS = (
    click.argument("query"),
    _options.option("--limit", type=click.IntRange(min=1), default=1000, help="Rows to print at most."),
    _options.option(
        "--timeout",
        type=click.FloatRange(0, LONGEST_QUERY_S, min_open=True),
        default=QUERY_S,
        metavar="SECONDS",
        help="Longest time; while a query runs, nobody can write.",
    ),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    query: str
    limit: int
    timeout: float


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHERE)
def command(options: Options) -> None:
    """Ask the store in SQL."""
    frame = options.project().store.query(options.query, options.limit, options.timeout)
    if options.as_json:
        _options.print_json(frame.astype(object).where(frame.notna(), None).to_dict("records"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        numeric = frame[name].dtype.kind in "iuf"
        table.add_column(str(name), justify="right" if numeric else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*("null" if formatting.is_missing(cell) else str(cell) for cell in row))
    Console(markup=False, highlight=False).print(table)
    if len(frame) == options.limit:
        click.echo(f"stopped after {options.limit:,} rows; --limit prints more", err=True)

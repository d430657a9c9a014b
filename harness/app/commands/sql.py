"""Ask the store in SQL: read-only, no file but the store is reached.

Example: harness sql "select arm, avg(credit) from scored group by arm order by 2 desc"
"""

from __future__ import annotations

from dataclasses import dataclass

import click
from rich.table import Table

from harness.app.commands import _console, _options
from harness.ground import formatting
from harness.report import terminal
from harness.store import LONGEST_QUERY_S, QUERY_S

WANTED_TO = "look"

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
class Options(_options.Moment):
    """What the command line chose."""

    query: str
    limit: int
    timeout: float


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.MOMENT)
def command(options: Options) -> None:
    """Ask the store in SQL."""
    frame = options.project().store.query(options.query, options.limit, options.timeout)
    if options.as_json:
        _options.print_json(frame.astype(object).where(frame.notna(), None).to_dict("records"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = [
        ["null" if formatting.is_missing(cell) else str(cell) for cell in row] for row in frame.itertuples(index=False)
    ]
    for i, name in enumerate(frame.columns):
        is_number = frame[name].dtype.kind in "iuf"
        terminal.add_column(table, str(name), [row[i] for row in rows], is_number=is_number)
    for row in rows:
        table.add_row(*row)
    terminal.print_on(_console.stdout(), table)
    if len(frame) == options.limit:
        click.echo(f"stopped after {options.limit:,} rows; --limit prints more", err=True)

"""The ledger itself: copy paid answers into another, from a file to a team's server or back.

Example: harness ledger copy results/calls.sqlite "postgres:host=db.example.org dbname=harness user=team"
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from harness.app.commands import _options
from harness.ground import formatting
from harness.models import ledger

WANTED_TO = "look"
TOLD_EVERY = 10_000  # calls


class LedgerType(click.Path):
    """A ledger: a file, or the address of a PostgreSQL database, which stays as it is written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """A path, or an address."""
        place = ledger.place_of(str(value))
        return super().convert(value, param, ctx) if isinstance(place, Path) else place


LEDGER = LedgerType(path_type=Path, dir_okay=False)


@click.group(help=__doc__)
def command() -> None:
    """The ledger itself."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What `ledger copy` was given."""

    source: Path | str
    target: Path | str
    as_json: bool


@command.command("copy")
@_options.gathered(
    Copy,
    click.argument("source", type=LEDGER, metavar="FROM"),
    click.argument("target", type=LEDGER, metavar="TO"),
    _options.as_json,
)
def copy(options: Copy) -> None:
    """Copy paid answers, bills, debts and batches under way; what is there stays, and nothing is billed twice.

    FROM and TO are files (results/calls.sqlite) or databases (postgres:...). A copy that was killed goes on.

    Example: harness ledger copy "postgres:host=db.example.org dbname=harness" results/calls.sqlite
    """
    copied = ledger.copy(options.source, options.target, _watch)
    if copied.busy:
        _tell(
            f"{formatting.plural(copied.busy, 'process')} used FROM meanwhile: what was under way did not come; copy "
            "again once they have ended"
        )
    if options.as_json:
        _options.print_json(asdict(copied))
        return
    for line in _sentences(copied):
        click.echo(line)


_tell = partial(click.echo, err=True)


def _watch(done: int, n: int) -> None:
    if done == n or done % TOLD_EVERY == 0:
        _tell(f"call {done:,} of {n:,}")


def _sentences(copied: ledger.Copied) -> list[str]:
    calls, debts, had = (formatting.plural(n, noun) for n, noun in _counts(copied))
    lines = [
        f"copied {calls}, billed {formatting.dollars(copied.billed_nano / 1e9)}, with "
        f"{formatting.plural(copied.batches, 'batch')} and {debts} of an unknown bill; {had} stood there already",
        "every call of FROM is there, by count and hash",
    ]
    if copied.beside:
        answers = formatting.plural(copied.beside, "answer")
        lines.append(f"{answers} came to what TO answers already: TO's are served on, these are on record and billed")
    if copied.erased:
        lines.append(f"{formatting.plural(copied.erased, 'call')} erased in one of the two: nothing of them came back")
    if copied.open_batches:
        lines.append(
            f"{formatting.plural(copied.open_batches, 'batch')} under way: go on with one of the two ledgers alone, or "
            "what comes of them is billed twice"
        )
    return lines


def _counts(copied: ledger.Copied) -> list[tuple[int, str]]:
    return [(copied.calls, "call"), (copied.owed, "debt"), (copied.had, "call")]

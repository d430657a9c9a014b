"""Erase items that a person asks to be erased, wherever the workspace keeps them; paid answers keep their price.

Example: harness forget --dataset tickets --id 4711 --dry-run
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.app.project import forgetting
from harness.errors import ConfigError
from harness.ground import formatting
from harness.ground.workspace import checked_name

if TYPE_CHECKING:
    from harness.app.project.forgetting import Forgotten

WANTED_TO = "look"

OPTIONS = (
    _options.option("--dataset", required=True, metavar="NAME", help="Dataset; the items go from all its versions."),
    _options.option("--id", "ids", multiple=True, metavar="ID", help="Item to erase; repeatable."),
    _options.option("--text", "texts", multiple=True, metavar="TEXT", help="Exact text of items; repeatable."),
    _options.option("--anywhere", is_flag=True, help="--text that is no item's: wherever it stands, as a part too."),
    _options.option("--dry-run", is_flag=True, help="Count what would go; nothing is changed."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    dataset: str
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    anywhere: bool
    dry_run: bool


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHERE)
def command(options: Options) -> None:
    """Erase what a person asks to be erased; exit 1 when files of the user's own still hold it."""
    if not options.ids and not options.texts:
        raise ConfigError("nothing to erase: give --id ID or --text TEXT, as often as you like")
    name = checked_name(options.dataset.partition("@")[0], "dataset")
    wanted = forgetting.Wanted(name, frozenset(options.ids), frozenset(options.texts), options.anywhere)
    found = forgetting.forget(options.project(), wanted, dry_run=options.dry_run)
    if options.as_json:
        _options.print_json({"dataset": name, "dry_run": options.dry_run, **asdict(found)})
    else:
        _show(found, dry_run=options.dry_run)
    if found.left:
        raise click.exceptions.Exit(1)


def _show(found: Forgotten, *, dry_run: bool) -> None:
    verb = "would go" if dry_run else "erased"
    if found.erased:
        print_table(("place", verb), [(place, f"{n:,}") for place, n in found.erased.items()], numeric=(verb,))
    else:
        click.echo("nothing that the workspace keeps says it")
    for one in found.versions:
        rest = "" if dry_run else f": its content is {one.id}, and was {one.was}; runs and exports follow"
        click.echo(f"{one.ref} {'would lose' if dry_run else 'lost'} {formatting.plural(one.n, 'row')}{rest}")
    if found.n_short:
        click.echo(
            f"{formatting.plural(found.n_short, 'text')} of fewer than {forgetting.SHORTEST} characters, or in the "
            "labels: rows and their answers go, other places were not searched"
        )
    for path in found.left:
        click.echo(f"{path} still holds it, and is yours to change")

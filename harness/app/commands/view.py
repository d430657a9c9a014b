"""Look at the store in a browser: runs, confusions and every item, paged, on this machine alone.

Example: harness view --port 8321
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.errors import ConfigError
from harness.report import build
from harness.report.view import Server

if TYPE_CHECKING:
    from harness.app.project import Project

WANTED_TO = "look"

OPTIONS = (_options.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; 0 takes a free one."),)
MOST_ROWS = 400_000  # predictions in a whole report; more are looked at page by page


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    port: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHERE)
def command(options: Options) -> None:
    """Look at the store."""
    project = options.project()
    project.store.runs()  # says at once when there is no store
    try:
        server = Server(project.store, lambda ref, split: _report(project, ref, split), options.port)
    except OSError as error:
        raise ConfigError(f"--port {options.port}: {error.strerror}; choose another, or 0 for a free one") from None
    if options.as_json:
        _options.print_json({"address": server.address})
    else:
        click.echo(f"{server.address}  shows {_options.shown(project, project.store.name)}, read only; Ctrl-C ends it")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


def _report(project: Project, ref: str, split: str) -> bytes:
    """The whole report of a split, as `harness report` writes it."""
    dataset = project.dataset(ref)
    rows = int(project.store.runs(dataset.id, split)["n"].sum())
    if rows > MOST_ROWS:
        raise ConfigError(f"{rows:,} predictions are too many for one page; look at the split's runs instead")
    return build.build(project.results(dataset, split))["report.html"]

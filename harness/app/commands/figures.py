"""Draw the figures of a split as SVG and PNG, with the tables behind them; the same bytes every time.

Example: harness figures --dataset emoji-tags@v1
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from harness.app.commands import _evaluation, _options
from harness.report import drawings

WANTED_TO = "look"


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    dataset: str | None
    split: str


@click.command(help=__doc__)
@_options.gathered(Options, _options.dataset, _options.split, *_options.WHERE)
def command(options: Options) -> None:
    """Draw the figures of a split."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    results = project.results(dataset, options.split)
    written = _evaluation.write_files(project, results, drawings.files(results))
    if options.as_json:
        _options.print_json({"files": written})
    else:
        click.echo("\n".join(f"Wrote {path}" for path in written))

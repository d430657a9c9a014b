"""Write the report of a split: one HTML page, its Markdown twin, and the figures.

Example: harness report --dataset emoji-tags@v1
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from harness.commands import _evaluation, _options


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    dataset: str | None
    split: str


@click.command(help=__doc__)
@_options.gathered(Options, _options.dataset, _options.split, *_options.WHERE)
def command(options: Options) -> None:
    """Write the report of a split."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    written = _evaluation.write_report(project, project.results(dataset, options.split))
    if options.as_json:
        _options.print_json({"files": written})
    else:
        click.echo("\n".join(f"Wrote {path}" for path in written))

"""Write the report of a split: one HTML page, its Markdown twin, and the figures.

Example: harness report --dataset emoji-tags@v1 --post
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from harness.app.commands import _estimated, _evaluation, _options
from harness.app.project import Project, estimated_results
from harness.errors import ConfigError
from harness.report import build, drawings, post

WANTED_TO = "look"

POST = _options.option("--post", is_flag=True, help="Write a draft of a blog post too, with its figures as PNG.")


@dataclass(frozen=True, slots=True)
class Options(_options.Moment):
    """What the command line chose."""

    dataset: str | None
    split: str
    post: bool
    estimate: bool


@click.command(help=__doc__)
@_options.gathered(Options, _options.dataset, _options.split, POST, _estimated.OPTION, *_options.MOMENT)
def command(options: Options) -> None:
    """Write the report of a split."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    if options.estimate and options.post:
        raise ConfigError("a post draws gold alone, so --post and --estimate do not go together; leave one out")
    make = estimated_results.results if options.estimate else Project.results
    results = make(project, dataset, options.split)
    drawn = drawings.drawn(results)
    files = build.build(results, drawn)
    if options.post:
        files |= drawings.files(results) | {post.NAME: post.draft(results, drawn).encode()}
    written = _evaluation.write_files(project, results, files)
    if options.as_json:
        _options.print_json({"files": written})
    else:
        click.echo("\n".join(f"Wrote {path}" for path in written))

"""A stored arm as a folder that serves it without this workspace: `python DIR/serve.py`.

Example: harness ship minilm-lr --to shipped/minilm-lr
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import datasets
from harness.app.commands import _labelling, _options
from harness.app.project import shipping
from harness.app.project.standing import Opening
from harness.models import stack

if TYPE_CHECKING:
    from harness.app.project.standing import Ready

WANTED_TO = "ship"

OPTIONS = (
    click.argument("arm", metavar="ARM"),
    _options.option("--to", type=_options.FOLDER, required=True, metavar="DIR", help="New folder, or one to replace."),
    _options.option("--docker", is_flag=True, help="Write a Dockerfile too."),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="Which, or where its server or file is."),
    _options.option("--base-url", default=None, metavar="URL", help="An OpenAI-compatible server."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    arm: str
    to: Path
    docker: bool
    model: str | None
    base_url: str | None
    dataset: str | None
    split: str


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.arm_split, *_options.WHERE)
def command(options: Options) -> None:
    """Ship an arm."""
    project = options.project()
    asking = stack.Asking(options.model or "auto", options.base_url)
    selected = _labelling.selected(project, options.arm, options.dataset, options.split, asking, options.model)
    for line in _options.passed_over(selected.passed_over):
        click.echo(line, err=True)
    dataset = datasets.load(project.workspace.root, selected.first.dataset)
    result = project.arm_results(selected).runs[0]
    with ExitStack() as opened:
        ready = Opening(project, asking, opened.enter_context(project.ledger())).ready(selected.first)
        opened.callback(asyncio.run, _closed(ready))
        for note in ready.said:
            click.echo(note, err=True)
        files = shipping.files_of(project, ready, dataset, result, docker=options.docker)
    names = shipping.write(files, options.to)
    if options.as_json:
        size = sum(map(len, files.values()))
        _options.print_json({"arm": selected.name, "run_id": result.run.run_id, "to": str(options.to), "bytes": size,
                             "needs": files["requirements.txt"].decode().split(), "files": list(names)})  # fmt: skip
        return
    click.echo(f"{selected.name}: {len(names)} files, {sum(map(len, files.values())) / 1e6:,.1f} MB in {options.to}")
    click.echo(f"needs {', '.join(files['requirements.txt'].decode().split())}; what it is: {options.to}/MODEL_CARD.md")
    click.echo(f"serve it: python {options.to}/serve.py --port 8000")


async def _closed(ready: Ready) -> None:
    await ready.close()

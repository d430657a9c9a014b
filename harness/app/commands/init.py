"""Begin: settings, a first prompt and first rules in this folder, and FILE imported as a dataset.

Example: harness init tickets.csv
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.app.commands import _dataset_facts, _dataset_import, _options
from harness.app.commands._groups import print_table
from harness.app.project import next_step, scaffold
from harness.app.project.next_step import Step
from harness.datasets import label_names
from harness.errors import ConfigError
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.app.project.scaffold import Made

WANTED_TO = "start"

OPTIONS = (
    click.argument("file", required=False),
    _options.option("--name", default=None, help="The dataset's name; default: the file's."),
    _options.option("--task", default=None, help="Folder under prompts/; default: the dataset's name."),
    _options.option("--text", default="", metavar="COL", help="Column of the text; default: guessed, and told."),
    _options.option("--label", default="", metavar="COL", help="Column of the gold label; default: guessed, and told."),
    _options.option("--kind", type=click.Choice(plugins.names("kinds")), default="single", help="Kind of the task."),
    _options.option(
        "--range", type=float, nargs=2, default=None, metavar="LOW HIGH", help="Kind score: the ends of the scale."
    ),
    *_options.TABLE,
    _options.option("--labels", default=None, metavar="A,B,...|FILE", help="The labels, of texts that have none yet."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What `init` was given."""

    file: str | None
    name: str | None
    task: str | None
    text: str
    label: str
    kind: str
    range: tuple[float, float] | None
    labels: str | None
    sheet: str | None
    header: int | None

    def wanted(self) -> scaffold.Wanted:
        """What is to be made."""
        if self.file is None and (self.text or self.label):
            raise ConfigError("--text and --label are columns of a FILE, and none was given: harness init FILE")
        if self.file is None and self.labels is not None:
            raise ConfigError("--labels are those of a FILE, and none was given: harness init FILE --labels a,b")
        if self.file is None and (self.sheet or self.header):
            raise ConfigError("--sheet and --header are of a FILE, and none was given: harness init FILE")
        ends = _dataset_import.checked_range(self.range)
        labels = None if self.labels is None else label_names.read(self.labels)
        wanted = scaffold.Wanted(self.file, self.name, self.task, self.text, self.label, self.kind, ends, labels)
        return replace(wanted, sheet=self.sheet, header=self.header)


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHERE)
def command(options: Options) -> None:
    """Begin."""
    root = options.root or Path.cwd()
    if not root.is_dir():
        raise ConfigError(f"--root {root}: there is no such folder; make it first")
    made = scaffold.make(root.resolve(), options.wanted())
    following = _next(made, options)
    if options.as_json:
        _options.print_json(
            {
                "dataset": None if made.dataset is None else made.dataset.ref,
                "guessed": dict(made.guessed or {}),
                "files": list(made.written),
                "left": list(made.left),
                "next": following[0].command,
                "steps": [step._asdict() for step in following],
            }
        )
        return
    if made.imported is not None:
        _dataset_facts.tell(options, _dataset_facts.imported(made.imported), written=None)
    for sentence in _guesses(made.guessed or {}):
        click.echo(sentence)
    click.echo(f"Wrote {', '.join(made.written)}")
    for path in made.left:
        click.echo(f"{path} was there and stays as it is; see that it has the line results/*: people's texts lie there")
    if len(following) == 1:
        click.echo(f"Next: {_options.here(following[0].command)}")
        return
    click.echo("Next, in this order:")
    print_table(("command", "what it gives"), [(step.command, step.why) for step in following])


def _guesses(guessed: Mapping[str, object]) -> list[str]:
    """What was guessed, a line each, with the option that says otherwise."""
    lines = []
    for name, value in guessed.items():
        shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        if name in ("sheet", "header"):
            lines.append(f"guessed: {name} {shown!r}; --{name} says otherwise")
        elif name in ("text", "label"):
            lines.append(f"guessed: the {name} is column {shown!r}; --{name} says otherwise")
        elif isinstance(value, bool):
            lines.append(f"guessed: rows without a {'label' if name == 'drop_unlabelled' else 'text'} are left out")
        else:
            lines.append(f"guessed: {name} {shown!r}; harness dataset import has --{name} to say otherwise")
    return lines


def _next(made: Made, options: Options) -> list[Step]:
    at = f" --root {shlex.quote(str(options.root))}" if options.root is not None else ""
    if made.dataset is None:
        name = options.wanted().dataset or "NAME"
        return [Step(f"harness dataset import FILE --name {name} --text COL --label COL{at}", "a dataset")]
    if not made.dataset.labelled("test"):
        return next_step.without_labels(made.dataset.ref, at)
    return [Step(f"harness baselines{at}", "arms that need no model")]

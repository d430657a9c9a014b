"""`prompt new` and `prompt diff`: the next version of a prompt, and what it changes."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.app.commands import _comparing, _completion, _options
from harness.app.project import parents
from harness.arms.prompts import files
from harness.errors import ConfigError, HarnessError
from harness.ground.workspace import checked_name, place

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.app.project import Project

TASK = _options.option("--task", default=None, help="Folder under prompts/; default: all, or the dataset's.")


def task_of(project: Project, task: str | None, dataset: str | None) -> str:
    """The task that is meant: the one named, the workspace's, or the dataset's name."""
    preferences = project.workspace.preferences
    found = task or preferences.task or (dataset or preferences.dataset or "").partition("@")[0]
    if not found:
        raise ConfigError(f"which task? give --task, or set `dataset` in {place()}")
    return found


NEW = (
    click.argument("version"),
    _options.option("--from", "parent", default=None, metavar="VERSION", help="Prompt to copy; default: the newest."),
    TASK,
    _options.dataset,
)


@dataclass(frozen=True, slots=True)
class New(_options.Where):
    """What `prompt new` was given."""

    version: str
    parent: str | None
    task: str | None
    dataset: str | None


@click.command("new")
@_options.gathered(New, *NEW, *_options.WHERE)
def new(options: New) -> None:
    """The next version of a prompt: a copy to edit, that names the one it was made of as its parent.

    Example: harness prompt new v2 --from v1
    """
    project = options.project()
    root, task = project.workspace.root, task_of(project, options.task, options.dataset)
    version, there = checked_name(options.version, "prompt version"), files.versions(root, task)
    if not there:
        raise ConfigError(f"there is no prompt in prompts/{task}/ to begin with; write prompts/{task}/v1.j2")
    if version in there:
        raise ConfigError(f"prompts/{task}/{version}.j2 is there already; there are: {', '.join(there)}")
    parent = files.load(root, task, options.parent or there[-1])
    path = root / "prompts" / task / f"{version}.j2"
    content = files.with_parent(parent)
    with path.open("x", encoding="utf-8", newline="") as file:
        file.write(content)
    shown, following = _options.shown(project, path), _options.here(f"harness eval --prompt {version}")
    if options.as_json:
        _options.print_json({"files": [shown], "parent": parent.version, "next": following})
        return
    click.echo(f"Wrote {shown}, a copy of {parent.version}, its parent")
    click.echo(f"Next: edit it, and {following} (with --watch: again on every save)")


DIFF = (
    _options.argument("old", _completion.PROMPTS, metavar="OLD"),
    _options.argument("new", _completion.PROMPTS, metavar="NEW"),
    _options.option(
        "--items", type=click.IntRange(min=0), default=10, help="Items fixed and broken, to print of each."
    ),
    TASK,
    _options.model,
    _options.dataset,
    _options.split,
)


@dataclass(frozen=True, slots=True)
class Diff(_options.Where):
    """What `prompt diff` was given."""

    old: str
    new: str
    items: int
    task: str | None
    model: str | None
    dataset: str | None
    split: str


@click.command("diff")
@_options.gathered(Diff, *DIFF, *_options.WHERE)
def diff(options: Diff) -> None:
    """What a version changes: its text, and with stored runs of both the items that it fixed and broke.

    Example: harness prompt diff v1 v2
    """
    project = options.project()
    task = task_of(project, options.task, options.dataset)
    old, new = (files.load(project.workspace.root, task, name) for name in (options.old, options.new))
    lines = list(
        difflib.unified_diff(
            old.content.splitlines(), new.content.splitlines(), old.version, new.version, lineterm="", n=2
        )
    )
    found, reason = _stored(project, options, (new, old))
    if options.as_json:
        effect = None if found is None else _comparing.as_json(found)
        _options.print_json({"same": old.id == new.id, "diff": lines, "runs": effect, "reason": reason})
        return
    click.echo("\n".join(lines) if lines else f"{old.version} and {new.version} say the same")
    if found is None:
        click.echo(f"\nNo runs to compare: {reason}")
        return
    click.echo(f"\n{_comparing.headline(found)}.")
    _comparing.print_effects(found, options.items)


def _stored(
    project: Project, options: Diff, prompts: tuple[files.Prompt, files.Prompt]
) -> tuple[Comparison | None, str | None]:
    """The runs of both beside each other, or why there is no such comparison."""
    if prompts[0].id == prompts[1].id:
        return None, "they ask the same"
    names = [f"prompt:{prompt.version}" for prompt in prompts]
    try:
        dataset = project.dataset(options.dataset)
        return parents.compared(project, dataset, options.split, names, options.model), None
    except HarnessError as error:
        return None, str(error)

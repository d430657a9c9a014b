"""The prompt's life: list, show and render prompt versions.

Example: harness prompt render v3 --item 3
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import click

from harness import datasets
from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.arms import choice, fewshot
from harness.arms.prompts import files, promptfoo
from harness.datasets import importing, tables
from harness.errors import ConfigError
from harness.ground import formatting, plugins
from harness.ground.workspace import checked_name
from harness.runs import building
from harness.runs.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from harness.app.project import Project
    from harness.types import Dataset, Item


@click.group(help=__doc__)
def command() -> None:
    """The prompt's life."""


TASK = _options.option("--task", default=None, help="Folder under prompts/; default: all, or the dataset's.")


@dataclass(frozen=True, slots=True)
class List(_options.Where):
    """What `prompt list` was given."""

    task: str | None


@command.command("list")
@_options.gathered(List, TASK, *_options.WHERE)
def list_(options: List) -> None:
    """The prompts of this workspace.

    Example: harness prompt list --task emoji-tags
    """
    root = options.project().workspace.root
    tasks = [options.task] if options.task else files.tasks(root)
    prompts = [files.load(root, task, version) for task in tasks for version in files.versions(root, task)]
    if options.as_json:
        _options.print_json(
            [{"id": p.id, "task": p.task, "version": p.version, "description": p.header.description} for p in prompts]
        )
        return
    print_table(
        ("task", "version", "id", "output", "examples", "description"),
        [
            (p.task, p.version, p.id, p.header.output, _examples(p.header.examples), p.header.description)
            for p in prompts
        ],
    )


@dataclass(frozen=True, slots=True)
class Show(_options.Where):
    """What `prompt show` was given."""

    name: str
    task: str | None
    dataset: str | None


NAME = click.argument("name", metavar="VERSION|FILE")


@command.command()
@_options.gathered(Show, NAME, TASK, _options.dataset, *_options.WHERE)
def show(options: Show) -> None:
    """A prompt as it is written, with its id.

    Example: harness prompt show v3
    """
    prompt = _load(options.project(), options.name, options.task, options.dataset)
    if options.as_json:
        said = {"id": prompt.id, "task": prompt.task, "version": prompt.version, "content": prompt.content}
        _options.print_json(said | asdict(prompt.header))
        return
    click.echo(f"{prompt.task}/{prompt.version}  {prompt.id}\n\n{prompt.content.rstrip()}")


@dataclass(frozen=True, slots=True)
class Render(Show):
    """What `prompt render` was given."""

    split: str
    item: str


RENDER = (
    NAME,
    TASK,
    _options.dataset,
    _options.split,
    _options.option("--item", default="0", metavar="ID|NUMBER", help="Item by id, or by place in the split."),
)


@command.command()
@_options.gathered(Render, *RENDER, *_options.WHERE)
def render(options: Render) -> None:
    """The messages that a model would be sent for one item; nothing is sent.

    Example: harness prompt render v3 --item 3
    """
    project = options.project()
    dataset = project.dataset(options.dataset)
    prompt = _load(project, options.name, options.task, options.dataset)
    scope = Scope(dataset, options.split)
    item = _item(dataset, scope, options.item)
    few_shot = prompt.header.examples
    pool = scope.training() if few_shot.how != "none" else ()
    selector = fewshot.selector(few_shot, pool, building.embed_with(few_shot.encoder, project.workspace))
    selector.prepare([item])
    is_choice = prompt.header.output == "choice"
    draw = choice.draws(dataset.labels, 1, 1, 0)[0] if is_choice else choice.plain(dataset.labels)
    shown = getattr(plugins.load("kinds", dataset.kind), "shown", lambda label, _: label)
    examples = [replace(one, label=shown(one.label, prompt.header.output)) for one in selector.choose(item)]
    messages = prompt.template.messages(item, dataset.labels, dataset.name, examples, draw.alias_of)
    if options.as_json:
        _options.print_json({"item": item.id, "prompt": prompt.id, "messages": [asdict(m) for m in messages]})
        return
    for message in messages:
        click.echo(click.style(f"── {message.role}", dim=True))
        click.echo(message.content)
    characters = sum(len(message.content) for message in messages)
    click.echo(click.style(f"── item {item.id}, {characters:,} characters", dim=True))


IMPORT = (
    click.argument("file", type=_options.FILE),
    _options.option("--name", required=True, help="Name of the task and of the dataset."),
    _options.option("--text", default=None, metavar="VAR", help="Variable that is the item's text."),
)


@dataclass(frozen=True, slots=True)
class Import(_options.Where):
    """What `prompt import` was given."""

    file: Path
    name: str
    text: str | None


@command.command("import")
@_options.gathered(Import, *IMPORT, *_options.WHERE)
def import_(options: Import) -> None:
    """Bring in a promptfoo configuration: its prompts as prompts/NAME/*.j2, its tests as dataset NAME@v1.

    Example: harness prompt import promptfooconfig.yaml --name tickets
    """
    project = options.project()
    root, name = project.workspace.root, checked_name(options.name, "name")
    config = promptfoo.read(options.file)
    text = config.text_variable(options.text)
    templates = config.templates(text)
    folder = root / "prompts" / name
    paths = [folder / f"v{number}.j2" for number in range(1, len(templates) + 1)]
    for template, path in zip(templates, paths, strict=True):
        files.parse(template, name, path.stem, str(path))  # a template that cannot be one of ours is said before
        if path.exists():
            raise ConfigError(f"{path} is there already; choose another --name")
    spec = datasets.ImportSpec(
        name, "v1", text, "label", id="id" if "id" in config.variables else None, source={"tool": "promptfoo"}
    )
    rows: list[tuple[str | None, str, dict[str, tables.Cell]]] = [
        (None, where, {**variables, "label": label}) for where, variables, label in config.tests
    ]
    importing.import_rows(root, spec, rows, extra={}, origin=options.file.name)
    folder.mkdir(parents=True, exist_ok=True)
    for template, path in zip(templates, paths, strict=True):
        path.write_text(template, encoding="utf-8")
    written = [_options.shown(project, path) for path in (*paths, root / "datasets" / name / "v1")]
    if options.as_json:
        _options.print_json({"files": written, "rows": len(rows), "without_label": list(config.without_label)})
        return
    click.echo(
        f"{formatting.plural(len(rows), 'row')} and {formatting.plural(len(templates), 'prompt')}: {', '.join(written)}"
    )
    if config.without_label:
        n = formatting.plural(len(config.without_label), "test")
        click.echo(f"{n} left out without an `equals` assertion, the first {config.without_label[0]}")


def _load(project: Project, name: str, task: str | None, dataset: str | None) -> files.Prompt:
    if task is None and not name.endswith(".j2"):
        preferences = project.workspace.preferences
        task = preferences.task or (dataset or preferences.dataset or "").partition("@")[0]
        if not task:
            raise ConfigError("which task? give --task, or set `dataset` in [tool.harness]")
    return files.load(project.workspace.root, task or "", name)


def _item(dataset: Dataset, scope: Scope, wanted: str) -> Item:
    items = scope.items()
    by_id = {item.id: item for item in items}
    if wanted in by_id:
        return by_id[wanted]
    if wanted.isdigit() and int(wanted) < len(items):
        return items[int(wanted)]
    raise ConfigError(f"{dataset.ref} / {scope.split} has no item {wanted!r}; expected an id, or 0 to {len(items) - 1}")


def _examples(few_shot: files.FewShot) -> str:
    return few_shot.how if few_shot.how == "none" else f"{few_shot.k or len(few_shot.ids)} {few_shot.how}"

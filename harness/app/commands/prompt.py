"""The prompt's life: list, show, render and compare prompt versions, and begin the next one.

Example: harness prompt render v3 --item 3
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, cast

import click

from harness import datasets
from harness.app.commands import _completion, _options, _prompt_versions
from harness.app.commands._groups import print_table
from harness.app.commands._prompt_versions import TASK
from harness.arms.prompts import files, promptfoo
from harness.datasets import importing, tables
from harness.errors import ConfigError
from harness.ground import formatting
from harness.ground.workspace import checked_name
from harness.models import forecast, stack
from harness.runs import building
from harness.runs.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from harness.app.project import Project
    from harness.arms.prompt import PromptArm
    from harness.models.forecast import Forecast
    from harness.runs.job import Job
    from harness.types import Dataset, Item, Request

WANTED_TO = "start"


RENDERED_WITH = "fake/first"  # the messages are the same with every model


@click.group(help=__doc__)
def command() -> None:
    """The prompt's life."""


command.add_command(_prompt_versions.new)
command.add_command(_prompt_versions.diff)


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


NAME = _options.argument("name", _completion.PROMPTS, metavar="VERSION|FILE")


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
    model: str | None
    base_url: str | None
    priced_as: str | None


RENDER = (
    NAME,
    TASK,
    _options.dataset,
    _options.split,
    _options.option("--item", default="0", metavar="ID|NUMBER", help="Item by id, or by place in the split."),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="Tell tokens and cost with this model."),
    _options.option("--base-url", default=None, metavar="URL", help="An OpenAI-compatible server."),
    _options.priced_as,
)


@command.command()
@_options.gathered(Render, *RENDER, *_options.WHERE)
def render(options: Render) -> None:
    """The messages that a model would be sent for one item, and with --model their tokens and cost; nothing is sent.

    Example: harness prompt render v3 --item 3 --model openai/gpt-4o-mini
    """
    project = options.project()
    dataset = project.dataset(options.dataset)
    prompt = _load(project, options.name, options.task, options.dataset)
    scope = Scope(dataset, options.split)
    item = _item(dataset, scope, options.item)
    asking = stack.Asking.of(
        project.workspace.preferences,
        model=options.model or RENDERED_WITH,
        base_url=options.base_url,
        priced_as=options.priced_as,
        sends_nothing=True,
    )
    with project.ledger() as ledger:
        job = building.prompt_job(prompt, scope, asking, project.workspace, ledger, project.clock)
        requests, costs = _asked(job, item, has_costs=options.model is not None)
    messages = requests[0].messages
    if options.as_json:
        said = {"item": item.id, "prompt": prompt.id, "messages": [asdict(m) for m in messages]}
        _options.print_json(said | {what: asdict(cost) for what, cost in costs.items()})
        return
    for message in messages:
        click.echo(click.style(f"── {message.role}", dim=True))
        click.echo(message.content)
    characters = sum(len(message.content) for message in messages)
    times = f", asked {len(requests)} times, with the labels in other orders" if len(requests) > 1 and costs else ""
    click.echo(click.style(f"── item {item.id}, {characters:,} characters{times}", dim=True))
    for what, cost in costs.items():
        click.echo(_cost_line(what, cost))


def _asked(job: Job, item: Item, *, has_costs: bool) -> tuple[list[Request], dict[str, Forecast]]:
    """What is asked for the item; on request what it and the whole split would cost, were nothing known yet."""
    arm, model = cast("PromptArm", job.arm), cast("stack.Stack", job.model)
    if job.training:
        arm.fit([example.item for example in job.training], [example.label for example in job.training])
    arm.choose_examples(job.items if has_costs else [item])
    rates = replace(model.rates, is_known=lambda _: False)
    items = {"item": (item,), "split": job.items} if has_costs else {}
    name = (job.run.arm, str(model.model))
    costs = {what: forecast.of_prompt(name, arm, part, (), rates) for what, part in items.items()}
    return list(arm.requests(item)), costs


def _cost_line(what: str, cost: Forecast) -> str:
    return (
        f"{what if cost.items == 1 else f'{what} of {cost.items:,} items'} with {cost.model}: "
        f"about {cost.likely_tokens_in:,} tokens in and {cost.likely_tokens_out:,} out, "
        f"{formatting.dollars(cost.likely_usd)}; at most {cost.most_tokens_in:,} and {cost.most_tokens_out:,}, "
        f"{formatting.dollars(cost.worst_usd)}"
    )


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
        task = _prompt_versions.task_of(project, task, dataset)
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

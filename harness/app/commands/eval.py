"""Evaluate one prompt: predict, store, print the scorecard beside the stored arms.

Example: harness eval --prompt v3 --model openai/gpt-4o-mini --limit 50
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from harness.app.commands import _asking, _comparing, _dry_run, _early, _evaluation, _options, _sharding, _watch
from harness.app.project import complain_about_failures, parents
from harness.arms.prompts import files
from harness.errors import ConfigError
from harness.runs import building, early
from harness.runs.scope import TRAIN, Scope

if TYPE_CHECKING:
    from harness.app.project import Done, Project
    from harness.ground.shards import Shard
    from harness.runs.job import Job
    from harness.types import JSON

WANTED_TO = "ask"

CHANGES_SHOWN = 10  # of the items that were fixed, and of those that were broken
OPTIONS = (
    _options.option("--prompt", required=True, metavar="VERSION|FILE", help="Prompt version, or a .j2 file."),
    _options.option("--task", default=None, help="Folder under prompts/; default: the dataset's name."),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="Default: the workspace's."),
    *_asking.OPTIONS,
    _options.option("--batch", is_flag=True, help="Ask through the batch API: half price, within a day."),
    _options.option("--dry-run", is_flag=True, help="Print calls and worst-case dollars; send nothing."),
    _options.option("--repeat", type=click.IntRange(1, 100), default=1, help="Ask everything this many times."),
    _options.option("--fresh", is_flag=True, help="Ask again although the ledger has answers."),
    _options.option("--stop-when-decided", is_flag=True, help="End once it is clear which arm is better."),
    _options.option("--against", default=None, metavar="ARM", help="The other arm; default: the best baseline."),
    _options.option("--baselines", is_flag=True, help="Run the workspace's baselines first, where missing."),
    _sharding.option,
    _options.option("--watch", is_flag=True, help="Again on every save, on a fixed sample (--limit, else 50 of dev)."),
)


@dataclass(frozen=True, slots=True)
class Options(_asking.Asked, _options.Which):
    """What the command line chose."""

    prompt: str
    task: str | None
    batch: bool
    dry_run: bool
    repeat: int
    fresh: bool
    stop_when_decided: bool
    against: str | None
    baselines: bool
    shard: Shard | None
    watch: bool


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHICH)
def command(options: Options) -> None:
    """Evaluate one prompt."""
    _refuse_nonsense(options)
    project = options.project()
    preferences = project.workspace.preferences
    dataset = project.dataset(options.dataset)
    task = options.task or preferences.task or dataset.name
    prompt = files.load(project.workspace.root, task, options.prompt)
    asking = options.asking(
        project.workspace.preferences, fresh=options.fresh, batch=options.batch, sends_nothing=options.dry_run
    )
    if options.watch:
        watched = _watch.Watched(task, options.prompt, _watch.sample(dataset, _split(options), options.limit), asking)
        _watch.follow(project, watched)
        return
    if prompt.header.made is not None and options.split in (prompt.header.made.chosen_on, TRAIN):
        click.echo(f"{prompt.version} was found on train and dev: figures of {options.split} flatter it", err=True)
    scope = Scope(dataset, options.split, options.limit)
    with project.ledger() as ledger:
        baselines = _evaluation.default_baselines(project, scope, options.seed) if options.baselines else []
        askings = [replace(asking, repeat=repeat) for repeat in range(options.repeat)]
        jobs = [building.prompt_job(prompt, scope, one, project.workspace, ledger, project.clock) for one in askings]
        baselines, jobs = (_sharding.cut(some, options.shard) for some in (baselines, jobs))
        _evaluation.say_unpriced(jobs)
        if options.dry_run:
            _dry_run.show(project, [*baselines, *jobs], as_json=options.as_json)
            return
        beside = _evaluation.carry_out(project, dataset, baselines)
        if options.stop_when_decided:
            jobs = [_stopped_early(jobs[0], project, scope, options.against)]
        repeats = _evaluation.carry_out(project, dataset, jobs)
    if options.shard is not None:
        _sharding.show([*baselines, *jobs], [*beside, *repeats], options.shard, as_json=options.as_json)
    elif dataset.labelled(options.split):
        _show(options, project, scope, jobs[0], repeats)
    else:
        _evaluation.say_unlabelled(dataset, options.split, repeats, as_json=options.as_json)
    complain_about_failures(repeats)


def _stopped_early(job: Job, project: Project, scope: Scope, against: str | None) -> Job:
    items = early.shuffled(job.items)
    reference = project.reference(scope.dataset, scope, against)
    return replace(job, items=items, early=early.EarlyStop([item.id for item in items], reference))


def _show(options: Options, project: Project, scope: Scope, job: Job, repeats: list[Done]) -> None:
    results = project.results(scope.dataset, scope.split, first=repeats[0].run_id)
    parent = parents.of(project, scope.dataset, scope.split, job)
    written = _evaluation.write_report(project, results)
    if options.as_json:
        objects = [_evaluation.run_json(results, project.result(results, one), written) for one in repeats]
        spread = {"repeats": objects, "spread": [asdict(one) for one in results.spreads]}
        decided = {} if job.early is None else {"early": _early.as_json(job.early)}
        beside = {} if parent is None else {"parent": _parent_json(parent)}
        _options.print_json(objects[0] | (spread if len(objects) > 1 else {}) | decided | beside)
        return
    if parent is not None:
        _show_parent(parent)
    _evaluation.print_scorecard(results)
    if job.early is not None:
        click.echo(_early.sentence(job.early, _prompt(job).version, len(scope.items())))
    _evaluation.say_where(repeats, written, _again(scope, job))


def _prompt(job: Job) -> files.Prompt:
    assert job.prompt is not None  # it is a prompt's job
    return job.prompt


def _show_parent(parent: parents.BesideParent) -> None:
    """The paired difference from the parent, and what was fixed and broken, before anything else."""
    if parent.comparison is None:
        click.echo(f"Its parent {parent.name} is not compared: {parent.reason}\n")
        return
    click.echo(f"{_comparing.headline(parent.comparison)}.")
    _comparing.print_effects(parent.comparison, CHANGES_SHOWN)
    click.echo()


def _parent_json(parent: parents.BesideParent) -> dict[str, JSON]:
    found = parent.comparison
    return {"name": parent.name, "reason": parent.reason} if found is None else _comparing.as_json(found)


def _again(scope: Scope, job: Job) -> str:
    """The command that asks the same of the same model at the same address, and so sends nothing."""
    assert job.model is not None  # a prompt asks one
    chosen = {"dataset": scope.dataset.ref, "split": scope.split, "model": job.model.asked_as}
    endpoint = job.model.model.endpoint  # of a recipe or a file of weights it is what it holds
    return _options.again(("fresh", "watch"), base_url=endpoint if "://" in endpoint else None, **chosen)


def _split(options: Options) -> str | None:
    """The split that was asked for, if any was."""
    source = click.get_current_context().get_parameter_source("split")
    return options.split if source is not ParameterSource.DEFAULT else None


def _refuse_nonsense(options: Options) -> None:
    if options.against and not options.stop_when_decided:
        raise ConfigError(
            "--against names the arm that --stop-when-decided looks at; give both, or see harness compare"
        )
    if options.stop_when_decided and (options.batch or options.repeat > 1):
        other = "--batch asks everything at once" if options.batch else "--repeat asks everything again"
        raise ConfigError(f"--stop-when-decided ends a run between two answers, and {other}; give one of them")
    if options.stop_when_decided and options.shard:
        raise ConfigError("--stop-when-decided looks at all items as they come, and --shard has a share; give one")
    others = ("shard", "batch", "dry_run", "fresh", "stop_when_decided", "baselines", "as_json")
    unfit = [name for name in others if getattr(options, name)] + ["repeat"] * (options.repeat > 1)
    if options.watch and unfit:
        option = "--json" if unfit[0] == "as_json" else f"--{unfit[0].replace('_', '-')}"
        raise ConfigError(f"--watch runs again and again and prints as it goes; {option} does not go with it")

"""Evaluate one prompt: predict, store, print the scorecard beside the stored arms.

Example: harness eval --prompt v3 --model openai/gpt-4o-mini --limit 50
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import click

from harness.app.commands import _dry_run, _evaluation, _options
from harness.app.project import complain_about_failures
from harness.arms.prompts import files
from harness.errors import ConfigError
from harness.ground import formatting
from harness.models import stack
from harness.runs import building, early
from harness.runs.scope import Scope

if TYPE_CHECKING:
    from harness.ground.workspace import Preferences
    from harness.types import JSON

OPTIONS = (
    _options.option("--prompt", required=True, metavar="VERSION|FILE", help="Prompt version, or a .j2 file."),
    _options.option("--task", default=None, help="Folder under prompts/; default: the dataset's name."),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="Default: the workspace's."),
    _options.option("--base-url", default=None, metavar="URL", help="An OpenAI-compatible server."),
    _options.option("--concurrency", type=click.IntRange(1, 4096), default=None, help="Requests at once."),
    _options.option("--rpm", type=click.IntRange(min=1), default=None, help="Most requests per minute."),
    _options.option("--tpm", type=click.IntRange(min=1), default=None, help="Most tokens per minute."),
    _options.option("--budget", type=click.FloatRange(min=0), default=None, metavar="USD", help="Never bill more."),
    _options.priced_as,
    _options.option("--batch", is_flag=True, help="Ask through the batch API: half price, within a day."),
    _options.option("--dry-run", is_flag=True, help="Print calls and worst-case dollars; send nothing."),
    _options.option("--repeat", type=click.IntRange(1, 100), default=1, help="Ask everything this many times."),
    _options.option("--fresh", is_flag=True, help="Ask again although the ledger has answers."),
    _options.option("--stop-when-decided", is_flag=True, help="End once it is clear which arm is better."),
    _options.option("--against", default=None, metavar="ARM", help="The other arm; default: the best baseline."),
    _options.option("--baselines", is_flag=True, help="Run the workspace's baselines first, where missing."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Which):
    """What the command line chose."""

    prompt: str
    task: str | None
    model: str | None
    base_url: str | None
    concurrency: int | None
    rpm: int | None
    tpm: int | None
    budget: float | None
    priced_as: str | None
    batch: bool
    dry_run: bool
    repeat: int
    fresh: bool
    stop_when_decided: bool
    against: str | None
    baselines: bool


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHICH)
def command(options: Options) -> None:
    """Evaluate one prompt."""
    project = options.project()
    preferences = project.workspace.preferences
    dataset = project.dataset(options.dataset)
    task = options.task or preferences.task or dataset.name
    prompt = files.load(project.workspace.root, task, options.prompt)
    scope = Scope(dataset, options.split, options.limit)
    _refuse_nonsense(options)
    with project.ledger() as ledger:
        baselines = _evaluation.default_baselines(project, scope, options.seed) if options.baselines else []
        jobs = [
            building.prompt_job(
                prompt, scope, _asking(options, preferences, repeat), project.workspace, ledger, project.clock
            )
            for repeat in range(options.repeat)
        ]
        _evaluation.say_unpriced(jobs)
        if options.dry_run:
            _dry_run.show(project, [*baselines, *jobs], as_json=options.as_json)
            return
        _evaluation.carry_out(project, dataset, baselines)
        stop = None
        if options.stop_when_decided:
            items = early.shuffled(jobs[0].items)
            stop = early.EarlyStop([item.id for item in items], project.reference(dataset, scope, options.against))
            jobs = [replace(job, items=items, early=stop) for job in jobs]
        repeats = _evaluation.carry_out(project, dataset, jobs)
    done = repeats[0]
    results = project.results(dataset, options.split, first=done.run_id)
    written = _evaluation.write_report(project, results)
    if options.as_json:
        objects = [_evaluation.run_json(results, project.result(results, one), written) for one in repeats]
        spread = {"repeats": objects, "spread": [asdict(one) for one in results.spreads]}
        decided = {} if stop is None else {"early": _early_json(stop)}
        _options.print_json(objects[0] | (spread if len(objects) > 1 else {}) | decided)
    else:
        _evaluation.print_scorecard(results)
        if stop is not None:
            click.echo(_early_words(stop, prompt.version, len(scope.items())))
        again = f"harness eval --prompt {options.prompt} --dataset {dataset.ref}"
        _evaluation.say_where(repeats, written, again)
    complain_about_failures(repeats)


def _refuse_nonsense(options: Options) -> None:
    if options.against and not options.stop_when_decided:
        raise ConfigError(
            "--against names the arm that --stop-when-decided looks at; give both, or see harness compare"
        )
    if options.stop_when_decided and (options.batch or options.repeat > 1):
        other = "--batch asks everything at once" if options.batch else "--repeat asks everything again"
        raise ConfigError(f"--stop-when-decided ends a run between two answers, and {other}; give one of them")


def _early_json(stop: early.EarlyStop) -> dict[str, JSON]:
    race = stop.race
    return {
        "against": stop.reference.arm,
        "is_decided": stop.is_over,
        "leader": {"a": "prompt", "b": stop.reference.arm}.get(race.leader(stop.alpha) or ""),
        "only_prompt": race.only_a,
        "only_reference": race.only_b,
        "n": race.n,
        "p_value": race.p_value,
        "alpha": stop.alpha,
    }


def _early_words(stop: early.EarlyStop, version: str, total: int) -> str:
    race, other = stop.race, stop.reference.arm
    p = f"anytime-valid p {formatting.p_value(race.p_value)}, threshold {formatting.share(stop.alpha)}"
    if not stop.is_over:
        return f"Not decided between prompt:{version} and {other} after {formatting.plural(race.n, 'item')} ({p})."
    better = f"prompt:{version}" if race.leader(stop.alpha) == "a" else other
    return (
        f"Decided after {race.n:,} of {formatting.plural(total, 'item')}: {better} is better ({p}). The p holds "
        "whenever "
        "one stops; the intervals above are those of a sample that was stopped for its result, so read them as rough."
    )


def _asking(options: Options, preferences: Preferences, repeat: int) -> stack.Asking:
    return stack.Asking.of(
        preferences,
        model=options.model,
        base_url=options.base_url,
        workers=options.concurrency,
        requests_per_minute=options.rpm,
        tokens_per_minute=options.tpm,
        budget_usd=options.budget,
        repeat=repeat,
        fresh=options.fresh,
        batch=options.batch,
        priced_as=options.priced_as,
        tell=partial(click.echo, err=True),
    )

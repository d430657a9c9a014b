"""Evaluate one prompt: predict, store, print the scorecard beside the stored arms.

Example: harness eval --prompt v3 --model openai/gpt-4o-mini --limit 50
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from harness import stack, wiring
from harness.commands import _dry_run, _evaluation, _options
from harness.project import complain_about_failures
from harness.prompts import files

if TYPE_CHECKING:
    from harness.workspace import Preferences

OPTIONS = (
    _options.option("--prompt", required=True, metavar="VERSION|FILE", help="Prompt version, or a .j2 file."),
    _options.option("--task", default=None, help="Folder under prompts/; default: the dataset's name."),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="Default: the workspace's."),
    _options.option("--base-url", default=None, metavar="URL", help="An OpenAI-compatible server."),
    _options.option("--concurrency", type=click.IntRange(1, 4096), default=None, help="Requests at once."),
    _options.option("--rpm", type=click.IntRange(min=1), default=None, help="Most requests per minute."),
    _options.option("--tpm", type=click.IntRange(min=1), default=None, help="Most tokens per minute."),
    _options.option("--budget", type=click.FloatRange(min=0), default=None, metavar="USD", help="Never bill more."),
    _options.option("--batch", is_flag=True, help="Ask through the batch API: half price, within a day."),
    _options.option("--dry-run", is_flag=True, help="Print calls and worst-case dollars; send nothing."),
    _options.option("--repeat", type=click.IntRange(1, 100), default=1, help="Ask everything this many times."),
    _options.option("--fresh", is_flag=True, help="Ask again although the ledger has answers."),
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
    batch: bool
    dry_run: bool
    repeat: int
    fresh: bool
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
    scope = wiring.Scope(dataset, options.split, options.limit)
    with project.ledger() as ledger:
        jobs = _evaluation.default_baselines(project, scope, options.seed) if options.baselines else []
        for repeat in range(options.repeat):
            asking = _asking(options, preferences, repeat)
            jobs.append(wiring.prompt_job(prompt, scope, asking, project.workspace, ledger, project.clock))
        if options.dry_run:
            _dry_run.show(project, jobs, as_json=options.as_json)
            return
        repeats = _evaluation.carry_out(project, dataset, jobs)[-options.repeat :]
    done = repeats[0]
    results = project.results(dataset, options.split, first=done.run_id)
    written = _evaluation.write_report(project, results)
    if options.as_json:
        objects = [_evaluation.run_json(results, project.result(results, one), written) for one in repeats]
        spread = {"repeats": objects, "spread": [asdict(one) for one in results.spreads]}
        _options.print_json(objects[0] | (spread if len(objects) > 1 else {}))
    else:
        _evaluation.print_scorecard(results)
        again = f"harness eval --prompt {options.prompt} --dataset {dataset.ref}"
        _evaluation.say_where(repeats, written, again)
    complain_about_failures(repeats)


def _asking(options: Options, preferences: Preferences, repeat: int) -> stack.Asking:
    budget_usd = preferences.budget_usd if options.budget is None else options.budget
    return stack.Asking(
        model=options.model or preferences.model,
        base_url=options.base_url,
        workers=options.concurrency or preferences.concurrency,
        requests_per_minute=options.rpm or preferences.requests_per_minute,
        tokens_per_minute=options.tpm or preferences.tokens_per_minute,
        timeout_s=preferences.timeout_s,
        deadline_s=preferences.deadline_s,
        budget_usd=budget_usd,
        repeat=repeat,
        fresh=options.fresh,
        batch=options.batch,
        tell=partial(click.echo, err=True),
    )

"""What `eval` and `baselines` share: carrying jobs out under a progress bar, and the scorecard."""

from __future__ import annotations

import asyncio
import gc
import sys
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from harness.analysis.lineage import fidelity
from harness.app.commands import _console, _options, _stopping
from harness.app.project import pages, spreading
from harness.datasets.task import SINGLE
from harness.errors import Interrupted
from harness.ground import formatting, plugins
from harness.report import build, terminal
from harness.runs import building, executors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results, RunResult
    from harness.app.project import Done, Project
    from harness.runs.job import Job
    from harness.runs.runner import Progress as RunProgress
    from harness.runs.scope import Scope
    from harness.types import JSON, Dataset, Estimate


def carry_out(project: Project, dataset: Dataset, jobs: Sequence[Job]) -> list[Done]:
    """Each job done in turn; Ctrl-C lets what is in flight finish, stores it and stops."""
    # Thousands of calls make and drop small objects; looking for cycles at every 700 takes a fifth of the time.
    gc.set_threshold(100_000, 50, 100)
    fitted = spreading.fitted(project, jobs, partial(click.echo, err=True))
    with executors.threads(project.workspace.preferences.spread):
        return asyncio.run(_carry_out(project, dataset, fitted))


async def _carry_out(project: Project, dataset: Dataset, jobs: Sequence[Job]) -> list[Done]:
    stop = asyncio.Event()
    try:
        with _stopping.orderly(stop):
            return await _one_after_the_other(project, dataset, jobs, stop)
    except asyncio.CancelledError:
        raise Interrupted(
            "stopped at once; what was answered is stored, and calls that were dropped may be on the bill; "
            "the same command goes on from there"
        ) from None


async def _one_after_the_other(
    project: Project, dataset: Dataset, jobs: Sequence[Job], stop: asyncio.Event
) -> list[Done]:
    done = []
    with _bar() as bar:
        for job in jobs:
            if bar.disable:
                click.echo(f"{job.run.arm}: {formatting.plural(len(job.items), 'item')} ...", err=True)
            task = bar.add_task(job.run.arm, total=len(job.items), note="")

            def watch(progress: RunProgress, task: object = task, job: Job = job) -> None:
                if not bar.disable:
                    bar.update(task, completed=progress.done, note=_note(progress, job))  # type: ignore[arg-type]

            try:
                done.append(await project.carry_out(job, dataset, stop, watch))
            finally:
                if job.model is not None:
                    await job.model.close()
    return done


def say_unpriced(jobs: Sequence[Job]) -> None:
    """Tell on stderr which models have no price, before anything is asked of them."""
    notes = [job.model.cost_note for job in jobs if job.model is not None]
    for note in filter(None, dict.fromkeys(notes)):
        click.echo(f"cost unknown: {note}", err=True)


class _Pace(ProgressColumn):
    """Items a second, as the last half minute went."""

    def render(self, task: Task) -> Text:
        """Nothing until it is known."""
        speed = task.speed or 0.0
        return Text(f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s" if speed else "")


def _bar() -> Progress:
    """One line of at most 80 columns: how far, how fast, how long still, what it cost, calls at once, failures."""
    return Progress(
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        _Pace(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=False,
        disable=not sys.stderr.isatty(),
    )


def _note(progress: RunProgress, job: Job) -> str:
    parts = [progress.stage] if progress.stage else []
    if progress.sent:
        parts.append(formatting.dollars(progress.billed_usd))
    if job.model is not None:
        limit = cast("list[dict[str, object]]", job.model.limits())[-1]["limit"]
        parts.append(f"{min(cast('int', limit), job.workers)} at once")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    return ", ".join(parts)


def print_scorecard(results: Results) -> None:
    """The scorecard and the verdict in one sentence, on the terminal."""
    scorecard = build.section("scorecard", results)
    console = _console.stdout()
    for part in terminal.render(scorecard) if scorecard is not None else ():
        terminal.print_on(console, part)
    verdict = build.section("verdict", results)
    if verdict is not None:
        console.print(*terminal.render(replace(verdict, blocks=verdict.blocks[:1])))
        console.print("harness decide says why, under your own limits and prices.", style="dim")


def write_report(project: Project, results: Results) -> list[str]:
    """The paths of the report's files, as the user would type them."""
    return write_files(project, results, build.build(results))


def write_files(project: Project, results: Results, files: Mapping[str, bytes]) -> list[str]:
    """The paths of the files, as the user would type them."""
    return [_options.shown(project, path) for path in pages.write(project, results, files)]


def run_json(results: Results, result: RunResult, files: Sequence[str]) -> dict[str, JSON]:
    """The run object of `eval --json` and `runs show --json`."""
    return {
        "run_id": result.run.run_id,
        "name": result.run.name,
        "dataset": results.split.dataset,
        "split": results.split.name,
        "arm": result.run.arm,
        "model": result.run.model,
        "status": result.run.status,
        "n": result.n,
        **({"subsample_of": results.split.subsample_of} if results.split.subsample_of else {}),
        "outcomes": {outcome.value: count for outcome, count in result.outcomes.items()},
        **_measured(results, result),
        **_taught(results, result),
        "cost_usd": result.cost_usd,
        "billed_usd": result.billed_usd,
        "cost_per_1000_usd": result.cost_per_1000_usd,
        "latency_s": dict(result.latency_s),
        "latency_n": result.latency_n,
        "batch_latency_s": result.run.batch_latency_s,
        "calls": {
            "sent": result.calls.sent,
            "cached": result.calls.cached,
            "retried": result.calls.retried,
        },
        "tokens": None
        if result.tokens is None
        else {name: getattr(result.tokens, name) for name in result.tokens.__slots__},
        "wall_s": result.run.wall_s,
        "fit_s": result.run.fit_s,
        "facts": dict(result.run.facts),
        "missing": result.missing,
        "passed_over": [asdict(run) for run in results.passed_over],
        "looks": results.split.looks,
        "files": list(files),
    }


def _measured(results: Results, result: RunResult) -> dict[str, JSON]:
    """The headline with its metric's name, and all metrics; where answers are right or wrong, each by its name too."""
    metrics = {name: _metric(results, name, estimate) for name, estimate in result.metrics.items()}
    first = next(iter(metrics))
    named = {"accuracy": None, "macro_f1": None} | (metrics if results.split.task.rules.IS_BINARY else {})
    return {"headline": {"metric": first, **(metrics[first] or {})}, "metrics": metrics, **named}


def _taught(results: Results, result: RunResult) -> dict[str, JSON]:
    """For an arm that another one taught: how faithful it is, null where the teacher was not asked the same items."""
    if "teacher" not in result.run.params:
        return {}
    found = fidelity(results, result)
    return {"teacher": result.run.params["teacher"], "fidelity": None if found is None else _estimate(found)}


def _metric(results: Results, name: str, estimate: Estimate) -> dict[str, JSON] | None:
    """The estimate, or None where the metric needs scores and the arm has none."""
    metric = results.split.task.rules.METRICS.get(name)
    needs_scores = metric is not None and metric.needs == "scores"
    return None if needs_scores and estimate.n == 0 else _estimate(estimate)


def _estimate(estimate: Estimate) -> dict[str, JSON]:
    return {
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
        "method": estimate.method,
    }


def default_baselines(
    project: Project, scope: Scope, seed: int, choice: building.BaselineChoice | None = None
) -> list[Job]:
    """The workspace's baselines that suit this dataset; the others are named on stderr with the reason."""
    jobs = []
    for name in _arms_of_kind(project, scope.dataset.kind):
        reason = building.unsuitable(name, scope.dataset, project.workspace)
        if reason is None:
            jobs.append(building.baseline_job(name, scope, project.workspace, project.clock, seed, choice))
        else:
            click.echo(f"{name}: left out, {reason}", err=True)
    return jobs


def _arms_of_kind(project: Project, kind: str) -> tuple[str, ...]:
    """The workspace's baselines, and of other kinds than one label all of ours that give such answers."""
    chosen, extensions = project.workspace.preferences.arms, project.workspace.extensions
    if kind == SINGLE.kind:
        return chosen
    ours = plugins.names("baselines", extensions)
    more = [name for name in ours if building.answers_kind(plugins.declared("baselines", name, extensions), kind)]
    return (*(name for name in chosen if name in more), *(name for name in more if name not in chosen))


def say_unlabelled(dataset: Dataset, split: str, done: Sequence[Done], *, as_json: bool) -> None:
    """What was answered where no item has a label yet: there is nothing to score, and labels are the next step."""
    counts = [{"run_id": one.run_id, "n": one.progress.done, "accuracy": None} for one in done]
    if as_json:
        _options.print_json(counts)
        return
    answered = formatting.plural(sum(one.progress.done for one in done), "item")
    click.echo(f"{answered} answered and stored; no item of {dataset.ref} / {split} has a label yet")
    labelling = _options.here(f"harness label {dataset.name}")
    estimating = _options.here(f"harness estimate --dataset {dataset.name} --split {split}")
    click.echo(f"Next: {labelling}, then {estimating}")


def asked(sent: int, cached: int, billed_usd: float | None) -> str:
    """How many calls were sent, how many answers were there before, and what was billed (None: not known)."""
    if not sent:
        return f"no call sent, {cached:,} answered before, nothing billed" if cached else "no model asked"
    billed = "bill unknown" if billed_usd is None else f"{formatting.dollars(billed_usd)} billed"
    return f"{formatting.plural(sent, 'call')} sent, {cached:,} answered before, {billed}"


def say_where(done: Sequence[Done], written: Sequence[str], again: str) -> None:
    """What was sent and billed just now, which files were written, and how to do it again."""
    sent, cached = (sum(getattr(one.calls, name) for one in done) for name in ("sent", "cached"))
    bills = [one.progress.billed_usd for one in done]
    billed_usd = None if None in bills else sum(bill for bill in bills if bill is not None)
    click.echo(
        f"\nThis time: {asked(sent, cached, billed_usd)}, {formatting.duration(sum(one.wall_s for one in done))}"
    )
    *report, index = written
    click.echo(f"Report {report[0]}, and beside it {', '.join(path.rpartition('/')[2] for path in report[1:])}")
    click.echo(f"All splits {index}")
    click.echo(f"Again: {again}")

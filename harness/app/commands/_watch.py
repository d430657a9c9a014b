"""`eval --watch`: the prompt evaluated again on every save, on one sample, with what each save did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.app.commands import _comparing, _evaluation
from harness.app.project import complain_about_failures, parents
from harness.arms.prompts import files
from harness.errors import ConfigError, HarnessError
from harness.ground import formatting, watching
from harness.runs import building
from harness.runs.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from harness.analysis.comparison import Comparison
    from harness.app.project import Done, Project
    from harness.models import stack
    from harness.types import Dataset

SAMPLE = 50
CHANGES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Watched:
    """Which prompt is watched, on which items, and how its model is asked."""

    task: str
    name: str
    scope: Scope
    asking: stack.Asking


def sample(dataset: Dataset, split: str | None, limit: int | None) -> Scope:
    """The items that every save is tried on: of the dev split where there is one, so that test stays a test."""
    chosen = split or ("dev" if dataset.in_split("dev") else "test")
    return Scope(dataset, chosen, limit or SAMPLE)


def follow(project: Project, watched: Watched) -> None:
    """Evaluate the prompt, and again on every save, until Ctrl-C.

    Each time the difference from where the watching began (the parent's answers where it has one) and what
    the last save fixed and broke are printed. A template's mistake is one line, and the next save is waited for.
    """
    scope, path = watched.scope, files.path_of(project.workspace.root, watched.task, watched.name)
    n = formatting.plural(len(scope.items()), "item")
    click.echo(f"Watching {path.name} on {n} of {scope.dataset.ref} / {scope.split}; Ctrl-C ends it.", err=True)
    begun: str | None = None
    last: str | None = None
    try:
        for _ in watching.saves(path, project.clock):
            try:
                run_id, done, begun = _tried(project, watched, path, begun)
            except ConfigError as mistake:
                click.echo(f"harness: {' '.join(str(mistake).split())}", err=True)
                continue
            _tell(project, watched, (run_id, begun, last), done)
            last = run_id
    except KeyboardInterrupt:
        click.echo("\nNo longer watching; every answer is kept.", err=True)


def _tried(project: Project, watched: Watched, path: Path, begun: str | None) -> tuple[str, Done, str]:
    """The run of what the file says now, and the run that it is held against from the first save on."""
    prompt = files.load(project.workspace.root, watched.task, str(path))
    parent = prompt.header.parent
    if begun is None and parent is not None and parent != prompt.version:
        begun = _evaluated(project, watched, files.load(project.workspace.root, watched.task, parent)).run_id
    done = _evaluated(project, watched, prompt)
    return done.run_id, done, begun or done.run_id


def _evaluated(project: Project, watched: Watched, prompt: files.Prompt) -> Done:
    with project.ledger() as ledger:
        job = building.prompt_job(prompt, watched.scope, watched.asking, project.workspace, ledger, project.clock)
        (done,) = _evaluation.carry_out(project, watched.scope.dataset, [job])
    return done


def _tell(project: Project, watched: Watched, runs: tuple[str, str, str | None], done: Done) -> None:
    run_id, begun, last = runs
    dataset, split = watched.scope.dataset, watched.scope.split
    result = project.run_results(run_id).runs[0]
    sent, bill = formatting.plural(done.calls.sent, "call"), formatting.dollars(done.progress.billed_usd)
    now = f"{project.clock.now().astimezone():%H:%M:%S}"
    click.echo(f"{now}  {result.run.arm} {formatting.with_interval(result.headline)}; {sent}, {bill}")
    if run_id != begun:
        click.echo(f"  since the beginning: {_comparing.headline(_between(project, dataset, split, (run_id, begun)))}")
    if last is not None and run_id != last:
        step = _between(project, dataset, split, (run_id, last))
        click.echo(f"  by this save: {_comparing.headline(step)}")
        _comparing.print_effects(step, CHANGES_SHOWN)
    try:
        complain_about_failures([done])
    except HarnessError as failed:
        click.echo(f"harness: {failed}", err=True)


def _between(project: Project, dataset: Dataset, split: str, runs: tuple[str, str]) -> Comparison:
    return parents.compared(project, dataset, split, runs)

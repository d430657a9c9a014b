"""Fit and evaluate the arms that need no model: rules, tags, similarity, classifiers.

Example: harness baselines --dataset banking77@v1 --arm tfidf-lr --arm minilm-lr
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from harness.app.commands import _evaluation, _options, _sharding
from harness.runs import building
from harness.runs.scope import TRAIN, Scope

if TYPE_CHECKING:
    from harness.app.project import Project
    from harness.ground.shards import Shard
    from harness.runs.job import Job
    from harness.types import Dataset

WANTED_TO = "ask"

OPTIONS = (
    _options.option("--encoder", default=None, metavar="NAME", help="Texts to vectors; default: the workspace's."),
    _options.option(
        "--teacher", default=None, metavar="RUN", help="Run on the train split that `distilled` learns from."
    ),
    _options.option(
        "--folds", type=click.IntRange(2, 100), default=None, help="Cross-validate on the train split (or --split)."
    ),
    _options.option("--seeds", type=click.IntRange(1, 100), default=1, help="Fits of each arm that learns."),
    _sharding.option,
    _options.option("--arm", "arms", multiple=True, metavar="NAME", help="Repeatable; default: the workspace's."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Which):
    """What the command line chose."""

    encoder: str | None
    teacher: str | None
    folds: int | None
    seeds: int
    shard: Shard | None
    arms: tuple[str, ...]


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHICH)
def command(options: Options) -> None:
    """Fit and evaluate baselines."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    split = _split(options)
    scope = Scope(dataset, split, options.limit)
    choice = building.BaselineChoice(options.encoder, _teacher(project, dataset, options.teacher), options.folds)
    jobs = _sharding.cut(_jobs(project, scope, options, choice), options.shard)
    done = _evaluation.carry_out(project, dataset, jobs)
    if options.shard is not None:
        _sharding.show(jobs, done, options.shard, as_json=options.as_json)
        return
    if not dataset.labelled(split):
        _evaluation.say_unlabelled(dataset, split, done, as_json=options.as_json)
        return
    results = project.results(dataset, split, first=done[-1].run_id)
    written = _evaluation.write_report(project, results)
    if options.as_json:
        objects = [_evaluation.run_json(results, project.result(results, one), written) for one in done]
        _options.print_json(objects)
    else:
        _evaluation.print_scorecard(results)
        _evaluation.say_where(done, written, _options.again(dataset=dataset.ref, split=split))


def _jobs(project: Project, scope: Scope, options: Options, choice: building.BaselineChoice) -> list[Job]:
    """Each arm, and those that learn with each further seed."""
    jobs = [
        building.baseline_job(name, scope, project.workspace, project.clock, options.seed, choice)
        for name in options.arms
    ] or _evaluation.default_baselines(project, scope, options.seed, choice)
    names = options.arms or [name for name in project.workspace.preferences.arms if _suits(project, scope, name)]
    for seed in range(options.seed + 1, options.seed + options.seeds):
        further = [building.baseline_job(name, scope, project.workspace, project.clock, seed, choice) for name in names]
        jobs += [job for job in further if job.run.n_train]
    return jobs


def _suits(project: Project, scope: Scope, name: str) -> bool:
    return building.unsuitable(name, scope.dataset, project.workspace) is None


def _split(options: Options) -> str:
    """The split that is scored. Folds are for data too small to be split, so they are the train split's by default."""
    was_chosen = click.get_current_context().get_parameter_source("split") is not ParameterSource.DEFAULT
    return options.split if was_chosen or options.folds is None else TRAIN


def _teacher(project: Project, dataset: Dataset, name: str | None) -> building.Teacher | None:
    """The run of that name on the train split, with what it answered."""
    if name is None:
        return None
    run = project.selected(name, dataset, TRAIN).first
    rows = project.store.predictions([run.run_id])
    rows = rows[rows["label"].notna()]
    answers = dict(zip(rows["example_id"], rows["label"], strict=True))
    return building.Teacher(run.run_id, run.arm, run.model, answers)

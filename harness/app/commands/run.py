"""Run a plan: a matrix of arms, datasets, splits, seeds and label counts, and fusions of them; resumable.

Example: harness run plan.toml --dry-run
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import click

from harness.analysis import decision, panel
from harness.app.commands import _dry_run, _evaluation, _options, _sharding
from harness.app.commands import _label_mix as label_mix
from harness.app.commands._groups import print_table
from harness.app.project import complain_about_failures, plans
from harness.app.project import curves as curve_runs
from harness.app.project.plans import JobBuilder
from harness.errors import ConfigError
from harness.ground import formatting
from harness.models import stack
from harness.runs import plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.app.project import Done, Project
    from harness.ground.constraints import Constraints
    from harness.ground.shards import Shard
    from harness.runs.job import Job
    from harness.runs.plan import Plan

WANTED_TO = "ask"

OPTIONS = (
    click.argument("file", metavar="PLAN.TOML", type=_options.FILE),
    _options.option("--dry-run", is_flag=True, help="Print what is missing and its price; run nothing."),
    _options.option("--budget", type=click.FloatRange(min=0), default=None, metavar="USD", help="Never bill more."),
    _options.option("--label-mix", multiple=True, metavar="FILE|LABEL=SHARE", help="Labels in production; repeatable."),
    _options.priced_as,
    _sharding.option,
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    file: Path
    dry_run: bool
    budget: float | None
    label_mix: tuple[str, ...]
    priced_as: str | None
    shard: Shard | None


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHERE)
def command(options: Options) -> None:
    """Carry out a plan."""
    project = options.project()
    found = plan.parse(_text(options.file), str(options.file))
    preferences = project.workspace.preferences
    with project.ledger() as ledger:
        budget_usd = found.budget_usd if options.budget is None else options.budget
        told = partial(click.echo, err=True)
        model = found.model or next(iter(found.models), None)
        asking = stack.Asking.of(
            preferences, model=model, budget_usd=budget_usd, priced_as=options.priced_as, tell=told
        )
        limits = _limits(project, found, options)
        builder = JobBuilder(project, ledger, asking, found.limit, found.models, limits)
        wanted = plan.steps(found)
        for step in wanted:
            builder.check(step)  # every mistake is found before anything runs
        if options.dry_run:
            jobs = _sharding.cut([builder.job(step) for step in wanted], options.shard)
            _evaluation.say_unpriced(jobs)
            _dry_run.show(project, jobs, as_json=options.as_json)
            return
        if options.shard is not None:
            _share(builder, found, options, options.shard)
            return
        done = [_done(project, builder.job(step), step.dataset) for step in wanted]
        run_ids = [one.run_id for one in done] + _parts(project, found)
        fusions = _fusions(builder, found)
    _report(project, [*run_ids, *(one.run_id for one in fusions)], as_json=options.as_json)
    if (found.decide or options.label_mix) and not options.as_json:
        _say_verdicts(project, found, limits)
    complain_about_failures([*done, *fusions])


def _limits(project: Project, found: Plan, options: Options) -> Constraints:
    """The constraints of the workspace, with those of the plan and of the command line; each label is one of its."""
    limits = found.limits(project.workspace.preferences.decide)
    known = {label for ref in found.datasets or (None,) for label in project.dataset(ref).label_names}
    mix = label_mix.parsed(options.label_mix, known)
    return replace(limits, label_mix=mix) if mix else limits


def _say_verdicts(project: Project, found: Plan, limits: Constraints) -> None:
    """What is to be served on each split under the plan's constraints, and why."""
    for ref, split in product(found.datasets or (None,), found.splits):
        dataset = project.dataset(ref)
        made = decision.decide(project.results(dataset, split), limits)
        click.echo(f"\n{dataset.ref} / {split}: {made.headline}")
        click.echo("\n".join(f"- {reason}" for reason in made.reasons))


def _done(project: Project, job: Job, dataset: str | None) -> Done:
    _evaluation.say_unpriced([job])
    return _evaluation.carry_out(project, project.dataset(dataset), [job])[0]


def _share(builder: JobBuilder, found: Plan, options: Options, shard: Shard) -> None:
    """A share of the items for every run of the matrix; what needs whole runs is for the command without it."""
    if left := plan.beyond_shards(found, is_mixed=bool(options.label_mix)):
        click.echo(f"--shard leaves out {left}: merge, then the same command without --shard does that alone", err=True)
    jobs, done = [], []
    for step in plan.steps(found):
        jobs += _sharding.cut([builder.job(step)], shard)
        done.append(_done(builder.project, jobs[-1], step.dataset))
    _sharding.show(jobs, done, shard, as_json=options.as_json)
    complain_about_failures(done)


def _parts(project: Project, found: Plan) -> list[str]:
    """The runs on parts of the training split; they need no model and take all cores."""
    run_ids = []
    for ref, split in product(found.datasets or (None,), found.splits):
        curve_plan = plans.curve_plan(found, split, project.workspace.extensions)
        if curve_plan is not None:
            dataset = project.dataset(ref)
            learnt = curve_runs.learn(project, dataset, curve_plan, partial(click.echo, err=True))
            run_ids += [run_id for one in learnt for run_id in one.run_ids]
    return run_ids


def _fusions(builder: JobBuilder, found: Plan) -> list[Done]:
    done = []
    for ref, split, fusion in product(found.datasets or (None,), found.splits, found.fusion):
        if split == fusion.choose_on and fusion.thresholds is None and fusion.use is None:
            continue  # it chose there
        dataset = builder.project.dataset(ref)
        job, members = plans.fusion_job(builder, fusion, dataset, split, found.seeds[0])
        try:
            done += _evaluation.carry_out(builder.project, dataset, [job])
        finally:
            for member in members:
                if member.model is not None:
                    asyncio.run(member.model.close())
    return done


def _report(project: Project, run_ids: Sequence[str], *, as_json: bool) -> None:
    """A line a run, in the order of the plan."""
    frame, selection = project.store.runs(), project.store.selection()
    facts = {row["run_id"]: row for row in frame.astype(object).where(frame.notna(), None).to_dict("records")}
    scored = project.store.predictions(run_ids)
    rows = []
    for run_id in dict.fromkeys(run_ids):
        accuracy = panel.share(scored[scored["run_id"] == run_id])
        names = ("dataset", "split", "arm", "model", "seed", "n_train", "n", "status")
        called = {"run_id": run_id, "name": selection.name(run_id)}
        rows.append({**called, **{name: facts[run_id][name] for name in names}, "accuracy": accuracy})
    if as_json:
        _options.print_json(rows)
        return
    print_table(
        ("arm", "model", "dataset", "split", "seed", "labels", "n", "accuracy", "95%"),
        [
            (
                str(row["name"]),
                str(row["model"] or ""),
                str(row["dataset"]),
                str(row["split"]),
                str(row["seed"]),
                formatting.count(row["n_train"]) if row["n_train"] is not None else "none",
                formatting.count(row["n"]),
                formatting.share(row["accuracy"].value),
                formatting.span(row["accuracy"]),
            )
            for row in rows
        ],
        numeric=("seed", "labels", "n", "accuracy", "95%"),
    )
    click.echo(f"{formatting.plural(len(rows), 'run')}; what is stored is not run again")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no plan {path}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8: {error}") from None

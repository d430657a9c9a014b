"""Fusions of a workspace's stored runs: which runs they are of, and the arm and the run made of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from harness.analysis.comparison import Answers
from harness.analysis.fusion import chosen
from harness.analysis.fusion.chosen import Part
from harness.analysis.fusion.members import members
from harness.analysis.fusion.votes import counted
from harness.app.project import routers
from harness.arms.cascade import CascadeArm
from harness.arms.replay import ReplayArm
from harness.arms.vote import VoteArm
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.fusion.chosen import Choice
    from harness.analysis.fusion.foresight import Foresight
    from harness.analysis.fusion.members import Members
    from harness.analysis.fusion.votes import Count, Rule
    from harness.app.project.project import Project
    from harness.runs.job import Job
    from harness.store import Selection
    from harness.types import Arm, Dataset, Purpose


@dataclass(frozen=True, slots=True)
class Pair:
    """A member with its run on the split that chooses and its run on the split that is reported."""

    name: str
    part: Part
    chooser: str
    tested: str


@dataclass(frozen=True, slots=True)
class Splits:
    """The split that chooses thresholds, and the one that is reported; one and the same for cross-fitting."""

    chooser: str
    tested: str


def pairs(
    project: Project, dataset: Dataset, names: Sequence[str], splits: Splits, model: str | None = None
) -> list[Pair]:
    """The runs of each member; `ConfigError` says which command makes one that is missing."""
    _check_splits(dataset, splits)
    selection = project.store.selection()
    found = [_pair(project, dataset, name, splits, selection, model) for name in names]
    tested = [pair.tested for pair in found]
    twice = {run_id for run_id in tested if tested.count(run_id) > 1}
    if twice:
        raise ConfigError(
            f"{' and '.join(names)} name one run more than once ({', '.join(twice)}); a fusion needs different arms"
        )
    return found


def stored(project: Project, dataset: Dataset, pairs: Sequence[Pair], splits: Splits) -> tuple[Members, Members]:
    """The members on the split that chooses and on the one that is reported: the same object where both are one."""
    task = Task.of(dataset)
    chooser = _members(project, task, [(pair.name, pair.chooser) for pair in pairs])
    if splits.chooser == splits.tested:
        return chooser, chooser
    return chooser, _members(project, task, [(pair.name, pair.tested) for pair in pairs])


def replayed(project: Project, choice: Choice, pairs: Sequence[Pair], dataset: Dataset, split: str) -> Job:
    """The job that runs the chosen fusion over what its members have stored; nobody is asked."""
    said = [project.store.stored(pair.tested) for pair in pairs]
    arms = [ReplayArm(pair.name, predictions) for pair, predictions in zip(pairs, said, strict=True)]
    shared = set.intersection(*(set(predictions) for predictions in said))
    items = [example.item for example in dataset.in_split(split) if example.item.id in shared]
    selection = project.store.selection()
    is_limited = any(selection.run(pair.tested).purpose == "limited" for pair in pairs)
    purpose: Purpose = "limited" if is_limited else "whole"
    return chosen.job(choice, arm(project, choice, arms, dataset), dataset, split, items, purpose=purpose)


def arm(project: Project, choice: Choice, members: Sequence[Arm], dataset: Dataset) -> Arm:
    """The chosen fusion over its members, which ask or say again what they have stored.

    A vote is counted, and a router taught, by what the members have stored for the split that chooses.
    """
    if choice.how == "cascade":
        return CascadeArm(members, choice.limits)
    if choice.how == "router":
        return routers.arm(project, choice, members, cast("Foresight", learnt(project, choice, dataset)))
    return VoteArm(members, cast("Count", learnt(project, choice, dataset)))


def learnt(project: Project, choice: Choice, dataset: Dataset) -> Count | Foresight:
    """What a vote or a router has learnt from what its members have stored for the split that chose it."""
    chooser = _lesson(project, choice, dataset)
    if choice.how == "router":
        return routers.foresight_of(project, choice, dataset, chooser)
    return counted(cast("Rule", choice.how), chooser)


def _lesson(project: Project, choice: Choice, dataset: Dataset) -> Members:
    runs = [(part.arm, run_id) for part, run_id in zip(choice.parts, choice.learnt_from, strict=False)]
    there = set(project.store.runs(dataset.id)["run_id"])
    if len(runs) < len(choice.parts) or not there.issuperset(choice.learnt_from):
        raise ConfigError(
            f"{choice.name} has learnt from runs on {choice.chosen_on} that are not in the store; "
            f"{chosen.again_with(choice, dataset)}"
        )
    return _members(project, Task.of(dataset), runs)


def _members(project: Project, task: Task, runs: Sequence[tuple[str, str]]) -> Members:
    rows = project.store.predictions([run_id for _, run_id in runs])
    return members([Answers(arm, rows[rows["run_id"] == run_id], task=task) for arm, run_id in runs])


def _check_splits(dataset: Dataset, splits: Splits) -> None:
    there = dataset.splits
    if splits.chooser not in there:
        raise ConfigError(
            f"{dataset.ref} has no split {splits.chooser!r} to choose thresholds on, it has "
            f"{', '.join(sorted(there))}; "
            f"give --choose-on SPLIT, or --choose-on {splits.tested}: then each tenth of it is reported with what the "
            "other nine chose"
        )


def _pair(
    project: Project, dataset: Dataset, name: str, splits: Splits, selection: Selection, model: str | None
) -> Pair:
    try:
        selected = selection.named(name, project.where(dataset, splits.tested, model))
    except ConfigError as error:
        raise ConfigError(f"{error}; to make one: {_command(project, name, dataset, splits.tested)}") from None
    run = selected.first
    part = Part(run.arm, run.arm_id, run.model, run.seed, run.n_train)
    if splits.chooser == splits.tested:
        return Pair(selected.name, part, run.run_id, run.run_id)
    same = selection.like(run, splits.chooser)
    if same is None:
        made = _command(project, run.arm, dataset, splits.chooser, run.model)
        there = any((o.dataset_id, o.split, o.arm) == (dataset.id, splits.chooser, run.arm) for o in selection.runs)
        stale = f"another version of {run.arm} than on {splits.tested}" if there else f"no run of {run.arm}"
        raise ConfigError(
            f"there is {stale} on {dataset.ref} / {splits.chooser}, where thresholds are chosen; make it: {made}"
        )
    fits = [one for one in same.runs if one.seed == run.seed]
    return Pair(selected.name, part, (fits or same.runs)[0].run_id, run.run_id)


def _command(project: Project, arm: str, dataset: Dataset, split: str, model: str | None = None) -> str:
    where = f"--dataset {dataset.ref} --split {split}"
    if arm.startswith("prompt:"):
        asked = f" --model {model}" if model else ""
        return f"harness eval --prompt {arm.removeprefix('prompt:')}{asked} {where}"
    if arm.startswith("import:"):
        return f"harness runs import FILE --arm {arm.removeprefix('import:')} {where}"
    if arm in plugins.names("baselines", project.workspace.extensions):
        return f"harness baselines --arm {arm} {where}"
    return f"harness baselines {where}, or harness eval --prompt VERSION {where}"

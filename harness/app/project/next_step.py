"""What to do next in a workspace: the command to type, and why. Looked up, never guessed from what was typed before."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from harness import datasets
from harness.arms.prompts import files
from harness.ground import workspace

if TYPE_CHECKING:
    from harness.app.project.project import Project
    from harness.store import StoredRun
    from harness.types import Dataset


class Step(NamedTuple):
    """A command, and the reason to type it."""

    command: str
    why: str


def of(project: Project) -> Step:
    """The next step: from no settings at all to a gate."""
    root, preferences = project.workspace.root, project.workspace.preferences
    refs = datasets.refs(root)
    if not refs:
        if workspace.has_settings(root):
            return Step("harness dataset import FILE --name NAME --text COL --label COL", "there is no dataset yet")
        return Step("harness init FILE", "there are no settings and no dataset here")
    wanted = preferences.dataset or refs[-1]
    at = "" if preferences.dataset else f" --dataset {wanted}"
    if wanted not in refs:
        return Step("harness dataset list", f"the settings name {wanted}, which is not there")
    runs = _runs(project, project.dataset(wanted))
    if not any(run.model is None for run in runs):
        return Step(f"harness baselines{at}", f"no arm has been scored on {wanted}; this needs no model")
    return _of_prompts(project, wanted, at, runs) or _of_ships(project, at, runs)


def _of_prompts(project: Project, wanted: str, at: str, runs: list[StoredRun]) -> Step | None:
    task = project.workspace.preferences.task or wanted.partition("@")[0]
    versions = files.versions(project.workspace.root, task)
    if not versions:
        return None
    newest = versions[-1]
    if any(run.arm == f"prompt:{newest}" for run in runs):
        return None
    others = ", beside the baselines" if len(versions) == 1 else f"; the one before was {versions[-2]}"
    return Step(f"harness eval --prompt {shlex.quote(newest)}{at}", f"prompt {newest} has not been asked{others}")


def _of_ships(project: Project, at: str, runs: list[StoredRun]) -> Step:
    if project.workspace.preferences.gate.baseline is None:
        return Step(f"harness decide{at}", f"{len({run.arm for run in runs})} arms are scored: which should serve?")
    return Step(f"harness gate{at}", "a baseline is pinned: is the candidate no worse?")


def _runs(project: Project, dataset: Dataset) -> list[StoredRun]:
    """The runs on the dataset that have answers."""
    if not project.store.exists():
        return []
    return [run for run in project.store.selection().runs if run.dataset_id == dataset.id and run.n_scored]


def without_labels(ref: str, at: str = "") -> list[Step]:
    """The way from texts without labels to a verdict, step by step; `at` is what every command takes besides."""
    name = ref.partition("@")[0]
    return [
        Step(f"harness baselines{at}", "arms that learn nothing answer every text"),
        Step(f"harness eval --prompt v1{at}", "and so does a prompt, where there is a model"),
        Step(f"harness label {ref} --n 80 --how disagreement{at}", "a page; half at random, half where arms differ"),
        Step(f"harness estimate{at}", "after 20, 40, 80 labels: which arm leads, and how sure that is"),
        Step(f"harness decide --estimate{at}", "which arm should serve, and what is open"),
        Step(
            f"harness label {ref} --split train --n 200 --how uncertain{at}",
            "where no arm is good enough: labels to learn from",
        ),
        Step(f"harness label {ref} --release v2{at}", "a version with the labels of both"),
        Step(f"harness baselines --dataset {shlex.quote(f'{name}@v2')}{at}", "the first classifiers"),
    ]

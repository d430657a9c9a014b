"""Carrying out a plan in a workspace: its jobs, its learning-curve runs and its fusions.

Every run is the run that the single command would make, so nothing is done twice, whichever way it
was done first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.analysis.fusion import chosen
from harness.analysis.fusion.chosen import Choice, Part
from harness.app.project import fusions, trying
from harness.app.project.curves import CurvePlan
from harness.app.project.fusions import Splits
from harness.app.project.trying import FusionSpec
from harness.arms.prompts import files
from harness.errors import ConfigError
from harness.ground import plugins
from harness.runs import building
from harness.runs.plan import PROMPT, Step
from harness.runs.scope import Scope
from harness.runs.spread import Size

if TYPE_CHECKING:
    from pathlib import Path

    from harness.app.project.project import Project
    from harness.arms.prompts.files import Prompt
    from harness.ground.constraints import Constraints
    from harness.models.ledger import Ledger
    from harness.models.stack import Asking
    from harness.runs.job import Job
    from harness.runs.plan import Fusion, Plan
    from harness.types import Dataset


@dataclass(frozen=True, slots=True)
class JobBuilder:
    """What jobs are made with: the project, its ledger, how models are asked, how many items, the plan's models.

    `limits` are what fusions are chosen under; None: the workspace's.
    """

    project: Project
    ledger: Ledger
    asking: Asking
    limit: int | None = None
    models: tuple[str, ...] = ()
    limits: Constraints | None = None

    def check(self, step: Step) -> None:
        """Raise `ConfigError` for a dataset, split, arm or prompt that is not there; nothing is connected."""
        dataset = self.project.dataset(step.dataset)
        Scope(dataset, step.split, self.limit).items()
        if step.kind == "prompt":
            self._prompt(step, dataset)
            return
        reason = building.unsuitable(step.arm, dataset, self.project.workspace)
        if reason is not None:
            raise ConfigError(f"arm {step.arm!r} cannot run on {dataset.ref}: {reason}")

    def job(self, step: Step) -> Job:
        """The job of one run of the matrix."""
        project = self.project
        dataset = project.dataset(step.dataset)
        scope = Scope(dataset, step.split, self.limit)
        if step.kind == "baseline":
            return building.baseline_job(step.arm, scope, project.workspace, project.clock, step.seed)
        prompt = self._prompt(step, dataset)
        asking = self.asking if step.model is None else replace(self.asking, model=step.model)
        return building.prompt_job(prompt, scope, asking, project.workspace, self.ledger, project.clock)

    def _prompt(self, step: Step, dataset: Dataset) -> Prompt:
        task = self.project.workspace.preferences.task or dataset.name
        return files.load(self.project.workspace.root, task, step.arm.removeprefix(PROMPT))


def curve_plan(plan: Plan, split: str, extensions: Path) -> CurvePlan | None:
    """The runs on parts of the training split, for the arms that learn; None when the plan has none."""
    arms = tuple(arm for arm in plan.arms if not arm.startswith(PROMPT) and _learns(arm, extensions))
    sizes = [*map(Size, sorted(plan.labels)), *(Size(k, is_per_class=True) for k in sorted(plan.per_class))]
    if not arms or not sizes:
        return None
    return CurvePlan(arms, tuple(sizes), plan.seeds, split, plan.limit, plan.processes, to_the_end=True)


def fusion_job(builder: JobBuilder, fusion: Fusion, dataset: Dataset, split: str, seed: int) -> tuple[Job, list[Job]]:
    """The job of a fusion, and the jobs of the members that it asks.

    Where thresholds are neither given nor used, it is made of what the members have stored, and asks nobody.
    """
    if fusion.use is None and fusion.thresholds is None:
        return _chosen(builder, fusion, dataset, split), []

    def step(arm: str) -> Step:
        return Step(dataset.ref, split, arm, seed)

    if fusion.use is not None:
        run = builder.project.anywhere(fusion.use, dataset.ref, split).first
        choice = chosen.choice_of(dict(run.params), f"run {run.run_id}")
        jobs = [
            builder.job(
                replace(step(part.arm), seed=part.seed, model=part.model if part.model in builder.models else None)
            )
            for part in choice.parts
        ]
        chosen.check(choice, dataset, [_part(job) for job in jobs])
    else:
        jobs = [builder.job(step(member)) for member in fusion.members]
        choice = Choice("cascade", dataset.id, "the plan", tuple(map(_part, jobs)), fusion.thresholds or ())
    arm = fusions.arm(builder.project, choice, [job.arm for job in jobs], dataset)
    live = chosen.job(choice, arm, dataset, split, jobs[0].items)
    training = max((job.training for job in jobs), key=len)
    return replace(live, training=training), jobs


def _chosen(builder: JobBuilder, fusion: Fusion, dataset: Dataset, split: str) -> Job:
    project = builder.project
    spec = FusionSpec(fusion.how, fusion.members, Splits(fusion.choose_on, split))
    limits = builder.limits or project.workspace.preferences.decide
    return trying.job(project, dataset, trying.tried(project, dataset, spec, limits))


def _part(job: Job) -> Part:
    run = job.run
    return Part(run.arm, run.arm_id, run.model, run.seed, run.n_train)


def _learns(arm: str, extensions: Path) -> bool:
    return bool(plugins.declared("baselines", arm, extensions).constants.get("LEARNS", True))

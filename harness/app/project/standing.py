"""A stored arm made ready to answer items that it has never seen: fitted or restored, connected, put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from harness import datasets
from harness.analysis.fusion import chosen
from harness.app.project import fusions
from harness.arms import encoding
from harness.arms.classifier import ClassifierArm
from harness.arms.prompts import writing
from harness.errors import ConfigError
from harness.ground import plugins
from harness.models import stack
from harness.runs import building, keeping
from harness.runs.scope import TRAIN, Scope
from harness.store import STANDING
from harness.types import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.fusion.chosen import Choice, Part
    from harness.app.project.project import Project
    from harness.models.ledger import Ledger
    from harness.models.stack import Asking, Stack
    from harness.runs.job import Job
    from harness.store import StoredRun
    from harness.types import Arm, Dataset

SLACK = 1e-6
"""How far below a threshold a score still reaches it. A threshold is the score of an item, and the same score computed
beside other texts may differ in its last digit."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An arm that answers new items, with the runs that it and its members were stored as, and what they ask."""

    arm: Arm
    run: StoredRun
    members: tuple[Ready, ...] = ()
    model: Stack | None = None
    choice: Choice | None = None
    notes: tuple[str, ...] = ()

    @property
    def stacks(self) -> list[Stack]:
        """Every model that is asked."""
        mine = [self.model] if self.model is not None else []
        return mine + [one for member in self.members for one in member.stacks]

    @property
    def said(self) -> list[str]:
        """What the user should know, its members' notes among it."""
        return [*self.notes, *(note for member in self.members for note in member.said)]

    async def close(self) -> None:
        """Let go of models."""
        for one in self.stacks:
            await one.close()


@dataclass(frozen=True, slots=True)
class Opening:
    """With what stored arms are made ready: how models are asked, and, where one is, the ledger of what was paid."""

    project: Project
    asking: Asking
    ledger: Ledger | None = None

    def ready(self, run: StoredRun) -> Ready:
        """The arm of a stored run; `ConfigError` says why it cannot answer new items, and what to run instead."""
        dataset = self._dataset(run)
        if "choice" in run.params:
            return self._fusion(run, dataset)
        if run.arm.startswith("prompt:"):
            return self._prompt(run, dataset)
        if run.arm.startswith(("import:", "python:")):
            raise ConfigError(f"{run.arm} was predicted elsewhere, so nothing here can answer new items for it")
        if "folds" in run.params:
            raise ConfigError(
                f"{run.arm} was cross-validated, fitted {run.params['folds']} times, and none of the fits is the arm; "
                "fit it to a training split: harness baselines --arm "
                f"{run.arm.partition(':')[0]} --dataset {run.dataset}"
            )
        return self._classifier(run, dataset)

    def _dataset(self, run: StoredRun) -> Dataset:
        dataset = datasets.load(self.project.workspace.root, run.dataset)
        if dataset.id != run.dataset_id:
            raise ConfigError(f"{run.arm} was run on {run.dataset} as {run.dataset_id}, and it is {dataset.id} now")
        return dataset

    def _classifier(self, run: StoredRun, dataset: Dataset) -> Ready:
        workspace = self.project.workspace
        state = keeping.kept_state(workspace, run)
        if state is None:
            job = _job_again(self.project, run, dataset)
            job.arm.fit([one.item for one in job.training], [one.label for one in job.training])
            keeping.keep(workspace, job.run, job.arm)
            return Ready(job.arm, run, notes=(f"{run.arm}: fitted again, for what it has learnt was not kept",))
        price, cost = workspace.preferences.cpu_usd_per_hour, _cost(self.project, run)
        classifier = keeping.restored(state, workspace)
        return Ready(ClassifierArm(run.arm, lambda: classifier, price, self.project.clock, cost), run)

    def _prompt(self, run: StoredRun, dataset: Dataset) -> Ready:
        project = self.project
        rows = project.store.prompts([str(run.params["prompt"])]).to_dict("records")
        if not rows:
            raise ConfigError(f"the store has no text of {run.arm} ({run.params['prompt']}); run it again")
        row = rows[0]
        prompt = writing.as_stored(row["content"], row["task"], row["version"], str(run.params["prompt"]))
        assert self.ledger is not None  # whoever opens a prompt has one
        made = building.prompt_arm(
            prompt, dataset, _as_stored(self.asking, run), project.workspace, self.ledger, project.clock
        )
        if made.arm_id != run.arm_id:
            found = made.model.model
            raise ConfigError(
                f"{run.arm} was run with {run.model} at {run.params.get('endpoint') or 'its own address'}, and here "
                f"answers {found} at {found.endpoint or 'its own address'}; run it with that first: harness eval "
                f"--prompt {prompt.version} --model {found} --dataset {run.dataset}"
            )
        if prompt.header.examples.how != "none":
            pool = tuple(dataset.in_split(TRAIN))
            made.arm.fit([one.item for one in pool], [one.label for one in pool])
        made.arm.answer_new_items()
        note = made.model.cost_note
        return Ready(made.arm, run, model=made.model, notes=() if note is None else (f"cost unknown: {note}",))

    def _fusion(self, run: StoredRun, dataset: Dataset) -> Ready:
        choice = chosen.choice_of(run.params, f"run {run.run_id}")
        members = [self.ready(self._member(run, part)) for part in choice.parts]
        relaxed = replace(choice, thresholds=tuple(map(_relaxed, choice.thresholds)))
        arm = fusions.arm(self.project, relaxed, [member.arm for member in members], dataset)
        return Ready(arm, run, tuple(members), choice=relaxed)

    def _member(self, fusion: StoredRun, part: Part) -> StoredRun:
        selection = self.project.store.selection()
        known = (part.arm, part.model, part.arm_id, part.seed)
        mine = [
            run
            for run in selection.runs
            if run.dataset_id == fusion.dataset_id
            and (run.arm, run.model, run.arm_id, run.seed) == known
            and run.purpose in STANDING
        ]
        if not mine:
            raise ConfigError(
                f"{fusion.arm} was chosen for {part.arm} ({part.arm_id}), and the store has no run of that any more; "
                f"run it again, then: harness cascade {' '.join(_arms(fusion))} --dataset {fusion.dataset} --store"
            )
        return max(mine, key=lambda run: ("folds" not in run.params, run.started_us))


def run_of(run: StoredRun) -> Run:
    """The stored run as the runner takes it."""
    names = [name for name in Run.__slots__ if name not in ("id", "purpose")]
    return Run(run.run_id, **{name: getattr(run, name) for name in names})


def _arms(fusion: StoredRun) -> Sequence[str]:
    return [part.arm for part in chosen.choice_of(fusion.params, fusion.run_id).parts]


def _relaxed(threshold: float | None) -> float | None:
    return threshold if threshold is None else threshold - SLACK


def _as_stored(asking: Asking, run: StoredRun) -> Asking:
    """Asked as its run was, unless a model of the same name was given: by a path, say, or through another address."""
    if asking.model != "auto":
        given, _ = stack.resolve_model(asking.model, asking.base_url)
        connection, _ = stack.connect(replace(asking, model=given))
        if str(connection.model) == run.model:
            return asking
    endpoint = str(run.params.get("endpoint") or "")
    base_url = endpoint if endpoint.startswith("http") else None
    return replace(asking, model=str(run.model), base_url=base_url, repeat=run.repeat)


def _job_again(project: Project, run: StoredRun, dataset: Dataset) -> Job:
    """The job that fits the arm of a run once more; `ConfigError` when the arm is another by now."""
    name, _, encoder = run.arm.partition(":")
    again = f"run it again: harness baselines --arm {name} --dataset {run.dataset}"
    if name not in plugins.names("baselines", project.workspace.extensions):
        raise ConfigError(f"what {run.arm} has learnt was not kept, and there is no such baseline to fit again")
    choice = building.BaselineChoice(encoder or encoding.DEFAULT, _teacher(project, run))
    scope = Scope(dataset, run.split)
    job = building.baseline_job(name, scope, project.workspace, project.clock, run.seed, choice)
    if (job.run.arm_id, job.run.n_train) != (run.arm_id, run.n_train):
        raise ConfigError(f"{run.arm} was run as {run.arm_id}, and it is {job.run.arm_id} now; {again}")
    return job


def _teacher(project: Project, run: StoredRun) -> building.Teacher | None:
    if "teacher" not in run.params:
        return None
    run_id = str(run.params["teacher"])
    answers = {i: p.label for i, p in project.store.stored(run_id).items() if p.label is not None}
    model = run.params["teacher_model"]
    return building.Teacher(run_id, str(run.params["teacher_arm"]), None if model is None else str(model), answers)


def _cost(project: Project, run: StoredRun) -> float | None:
    """What an item cost in the stored run, which was measured there: the same in every row."""
    with project.store.reader() as select:
        (row,) = select("select avg(cost_usd) as cost from predictions where run_id = ?", [run.run_id])
    return cast("float | None", row["cost"])

"""A workspace with its doors open: datasets, store and ledger, and the two things done with them.

`carry_out` runs a job and stores what came of it; `results` reads it back for reports and
verdicts. The command line and the Python API both go through here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from harness import __version__, datasets
from harness.analysis.panel import Answers
from harness.analysis.results import Results, RunFacts, RunResult
from harness.analysis.summing import Calls
from harness.app.project import learnt, prediction_sets, selecting, stores
from harness.app.project.stored_answers import StoredAnswers
from harness.arms.classifier import ClassifierArm
from harness.arms.folded import FoldedArm
from harness.datasets.task import Task
from harness.errors import ConfigError, MissingAnswers
from harness.ground import formatting
from harness.ground.workspace import place
from harness.models import forecast, pricing
from harness.models.ledger import Ledger
from harness.runs import keeping
from harness.runs.early import Reference
from harness.runs.failures import Failures
from harness.runs.runner import Progress, Runner
from harness.runs.scope import Scope
from harness.store import DECIDED_EARLY, Selected, Store, Where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from harness.analysis.measures import Measure
    from harness.app.project.selecting import SideBySide
    from harness.ground.clock import SystemClock
    from harness.ground.workspace import Workspace
    from harness.models.forecast import Forecast
    from harness.runs.job import Job
    from harness.store import Selection
    from harness.types import JSON, Dataset

ITEMS_SHOWN = 25_000  # in one page; more are looked at with `harness view`


@dataclass(frozen=True, slots=True)
class Done:
    """What one invocation did: its run, how far it came, how long it took."""

    run_id: str
    progress: Progress
    wall_s: float

    @property
    def calls(self) -> Calls:
        """Requests of this invocation alone; items that were stored before count as cached."""
        progress = self.progress
        return Calls(progress.sent, progress.cached + progress.already, progress.retried)


class Project:
    """A workspace, its store and its ledger. `db` names another store, `as_of` a snapshot of a lake."""

    def __init__(
        self, workspace: Workspace, clock: SystemClock, db: Path | str | None = None, as_of: int | None = None
    ) -> None:
        self.workspace = workspace
        self.clock = clock
        self.store = Store(stores.chosen(workspace, db, as_of), clock, extensions=workspace.extensions)
        self.folder = stores.folder(self.store) or workspace.results  # of the ledger, pages and labels
        self.ledger_place: Path | str = workspace.preferences.ledger or self.folder / "calls.sqlite"

    @property
    def stored_answers(self) -> StoredAnswers:
        """What is read back of the store to be analysed."""
        return StoredAnswers(self.store, self.workspace.preferences, self.folder)

    def ledger(self) -> Ledger:
        """The ledger of paid answers: the database that the settings name, or a file beside the store."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Ledger(self.ledger_place)

    def dataset(self, ref: str | None) -> Dataset:
        """The dataset of that reference, or the workspace's default."""
        wanted = ref or self.workspace.preferences.dataset
        if wanted is None:
            raise ConfigError(
                f"no dataset: give --dataset NAME@VERSION, or set `dataset` in {place()}; "
                f"there are: {', '.join(datasets.refs(self.workspace.root)) or 'none yet'}"
            )
        return datasets.load(self.workspace.root, wanted)

    def audit_folder(self, dataset: Dataset) -> Path:
        """Where the audit of a dataset version lies: beside its reports."""
        return self.stored_answers.audit_folder(dataset)

    async def carry_out(
        self,
        job: Job,
        dataset: Dataset,
        stop: asyncio.Event,
        watch: Callable[[Progress], None],
    ) -> Done:
        """The finished job: fitted, run and stored. However it ends, what was answered is stored.

        Its early stop is shown what the run has stored already, then every prediction as it comes.
        """
        store, run, start_s = self.store, job.run, self.clock.monotonic()
        store.be_patient()  # who reads meanwhile must not make it fail
        store.add_dataset(dataset)
        if job.prompt is not None:
            prompt = job.prompt
            store.add_prompt(prompt.id, prompt.task, prompt.version, prompt.content)
        prices = f"{pricing.table_name()} at {self.clock.now():%Y-%m-%d}" if run.model else None
        stored = store.start_run(run, dataset=dataset.ref, code_version=__version__, prices_as_of=prices)
        if job.early is not None:
            for prediction in store.stored(run.id).values():
                job.early.notice(prediction)
        runner = Runner(store, self.clock, stop, watch)
        fit_s: float | None = None
        status = "stopped"
        try:
            if len(stored) < len(job.items):
                if job.training:
                    stage = f"fitting on {formatting.plural(len(job.training), 'item')}"
                    watch(Progress(len(job.items), 0, stage=stage))
                fit_s = await self._fit(job)
            progress = await runner.run(job, stored)
            whole = "done" if progress.done == progress.total else DECIDED_EARLY
            status = "failed items" if progress.failed else whole
        finally:
            wall_s = self.clock.monotonic() - start_s
            store.finish_run(
                run.id,
                status=status,
                wall_s=wall_s,
                fit_s=fit_s,
                facts=_found_out(job),
            )
        return Done(run.id, progress, wall_s)

    async def dry_run(self, job: Job) -> Forecast:
        """What a job would still ask and cost; nothing is sent and nothing stored."""
        stored = self.store.done(job.run.id)
        if job.model is None:
            return forecast.of_baseline(job.run.arm, job.items, stored)
        await self._fit(job)
        todo = [item for item in job.items if item.id not in stored]
        arm = cast("forecast.Asking", job.arm)  # every arm with a model can say what it would ask it
        await asyncio.to_thread(arm.choose_examples, todo)
        name = (job.run.arm, str(job.model.model))
        return forecast.of_prompt(name, arm, job.items, stored, job.model.rates)

    async def _fit(self, job: Job) -> float | None:
        if not job.training:
            return None
        start_s, fit_s = self.clock.monotonic(), job.fit_s
        if fit_s is None:
            items, labels = [one.item for one in job.training], [one.label for one in job.training]
            await asyncio.to_thread(job.arm.fit, items, labels)
            fit_s = self.clock.monotonic() - start_s
        keeping.keep(self.workspace, job.run, job.arm)
        return fit_s

    def where(self, dataset: Dataset, split: str, model: str | None = None) -> Where:
        """Where a run's name is looked up: on a split of a dataset version."""
        return Where(dataset.id, dataset.ref, split, model)

    def results(self, dataset: Dataset, split: str, first: str | None = None) -> Results:
        """Every arm of a split with its repeats and seeds, on the items of run `first` (or of the one with most).

        Which runs stand for the arms is the `Selection`'s to say; what it passed over is named in the results.
        """
        selecting.check_gold(dataset, split)
        frame = self.store.runs(dataset.id, split)
        selection, where = self.store.selection(), self.where(dataset, split)
        arms = selection.arms(where, first)
        if not arms:
            Scope(dataset, split).items()  # raises for a split that is none
            raise ConfigError(
                f"the store has no finished run on {dataset.ref} / {split}; start with: harness baselines "
                f"--dataset {dataset.ref} --split {split}"
            )
        runs = selecting.facts(frame, selection, arms, first)
        results = self.analysed(dataset, split, runs)
        return replace(
            results,
            passed_over=(*results.passed_over, *selection.passed_over(where, first)),
            curves=learnt.stored(self.store, frame, len(dataset.labelled("train")), results),
            sets=prediction_sets.found(
                self.store, results, [run.run_id for run in runs], self.workspace.preferences.most_items
            ),
            is_standing=first is None or selecting.are_the_same(arms, selection.arms(where), first),
        )

    def analysed(
        self, dataset: Dataset, split: str, runs: Sequence[RunFacts], rows: pd.DataFrame | None = None
    ) -> Results:
        """The results of these runs, from their stored rows or from those that are given."""
        return self.stored_answers.analysed(dataset, split, runs, rows)

    def answers(self, dataset: Dataset, split: str, names: Sequence[str], model: str | None = None) -> list[Answers]:
        """The rows of runs, to be compared: by name, run id, unique prefix or tag (see `Selection.named`).

        `ARM@VERSION` is the arm on another version of the dataset; of runs on different versions only the
        items that say the same in all of them are returned.
        """
        selection, where = self.store.selection(), self.where(dataset, split, model)
        chosen = [self._named(selection, name, dataset, where) for name in names]
        return [replace(one, task=Task.of(dataset)) for one in self.rows(chosen)]

    def rows(self, chosen: Sequence[Selected]) -> list[Answers]:
        """The rows of what was selected, each under its name; of several dataset versions the items they share."""
        return self.stored_answers.rows(chosen)

    def side_by_side(self, dataset: Dataset, split: str, measure: Measure | None = None) -> SideBySide:
        """Every arm of a split side by side by a metric, with its repeats and seeds; and what was passed over.

        The arms are those of `results`: one that lacks too many of the items is passed over here as there.
        """
        selecting.check_gold(dataset, split)
        selection, where = self.store.selection(), self.where(dataset, split)
        arms, passed_over = selection.arms(where), selection.passed_over(where)
        together, note = self.stored_answers.beside(Task.of(dataset), arms, measure)
        return replace(selecting.comparable(together, arms, passed_over), note=note)

    def _named(self, selection: Selection, name: str, dataset: Dataset, where: Where) -> Selected:
        """What a name means on this split; else on the version named behind `@`, or by its id or tag alone."""
        try:
            return selection.named(name, where)
        except ConfigError as unknown:
            arm, _, version = name.rpartition("@")
            if arm and f"{dataset.name}@{version}" in datasets.refs(self.workspace.root):
                other = datasets.load(self.workspace.root, f"{dataset.name}@{version}")
                there = selection.named(arm, self.where(other, where.split, where.model))
            else:
                by_id = selection.by_id_or_tag(name)
                if by_id is None or by_id.first.dataset.partition("@")[0] != dataset.name:
                    raise unknown from None
                there = by_id.checked(name)
        return replace(there, name=selecting.elsewhere(there, where))

    def selected(self, name: str, dataset: Dataset, split: str, model: str | None = None) -> Selected:
        """The runs that a name means on a split (see `Selection.named`)."""
        return self.store.selection().named(name, self.where(dataset, split, model))

    def anywhere(self, name: str, ref: str | None = None, split: str = "test", model: str | None = None) -> Selected:
        """The runs that a name means on a dataset (the workspace's, where none is given); an id or a tag, on any."""
        selection, wanted = self.store.selection(), ref or self.workspace.preferences.dataset
        where = None if wanted is None else self.where(self.dataset(wanted), split, model)
        if ref is not None and where is not None and selection.by_id_or_tag(name) is None:
            return selection.named(name, where)
        return selection.anywhere(name, where, split, model)

    def reference(self, dataset: Dataset, scope: Scope, name: str | None) -> Reference:
        """The arm to hold a run against: by name, or else the best baseline on these items."""
        selection, where = self.store.selection(), self.where(dataset, scope.split)
        if name is not None:
            chosen = [self._named(selection, name, dataset, where)]
        else:
            chosen = [one for one in selection.arms(where) if one.first.model is None]
        firsts = [replace(one, runs=(one.first,)) for one in chosen]  # one answer an item, to be right or wrong
        answers = self.rows(firsts) if chosen else []
        wanted = {item.id for item in scope.items()}
        able = [one for one in answers if wanted <= set(one.rows["example_id"])]
        if not able:
            raise ConfigError(
                f"there is nothing to decide against: {name or 'no baseline'} has all of these "
                f"{formatting.plural(len(wanted), 'item')}; start with: harness baselines --dataset {dataset.ref}"
            )
        best = max(able, key=lambda one: one.rows["credit"].mean())
        rows = best.rows.drop_duplicates("example_id")
        known = rows["credit"].astype(object).where(rows["credit"].notna(), None)
        return Reference(
            best.name,
            dict(zip(rows["example_id"], known, strict=True)),
            dict(zip(rows["example_id"], rows["gold"], strict=True)),
            chosen_from=len(able),
            task=Task.of(dataset),
        )

    def run_results(self, run_id: str) -> Results:
        """The results of one run alone, by its id."""
        return self.arm_results(self.store.selection().alone(run_id))

    def arm_results(self, arm: Selected) -> Results:
        """The results of one arm alone, as it was selected: a run, or one with its repeats and seeds."""
        run, dataset = arm.first, datasets.load(self.workspace.root, arm.first.dataset)
        if dataset.id != run.dataset_id:
            raise ConfigError(f"run {run.run_id} was made on another {run.dataset} than the one in datasets/")
        frame = self.store.runs(run.dataset_id, run.split)
        return self.analysed(dataset, run.split, selecting.facts(frame, self.store.selection(), [arm]))

    def result(self, results: Results, done: Done) -> RunResult:
        """A run's result, with the calls, the bill and the wall time of this invocation alone."""
        found = next(result for result in results.runs if result.run.run_id == done.run_id)
        run = replace(found.run, wall_s=done.wall_s)
        return replace(found, run=run, calls=done.calls, billed_usd=done.progress.billed_usd)


def _found_out(job: Job) -> dict[str, JSON]:
    """What a job's arm and model have to say beside the predictions."""
    facts: dict[str, JSON] = dict(job.arm.facts()) if isinstance(job.arm, ClassifierArm | FoldedArm) else {}
    return {**job.facts, **facts, **({} if job.model is None else {"limits": job.model.limits()})}


def complain_about_failures(runs: Sequence[Done]) -> None:
    """Raise when items failed: the scorecard is printed, and the exit code says that it is not whole."""
    failures = Failures()
    for done in runs:
        failures.merge(done.progress.failures)
    failed, total = failures.counts.total(), sum(done.progress.total for done in runs)
    if failed:
        again = "and are not scored; the same command asks them again"
        raise FailedItems(f"{failed} of {formatting.plural(total, 'item')} failed {again}: {failures.sentence}")


class FailedItems(MissingAnswers):
    """The run ended, and some items have no reply; resumable."""

    is_aside = True

"""A workspace with its doors open: datasets, store and ledger, and the two things done with them.

`carry_out` runs a job and stores what came of it; `results` reads it back for reports and
verdicts. The command line and the Python API both go through here.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from harness import __version__, analysis, datasets, early, forecast, numbers, panel, pricing, shared_items
from harness.arms.classifier import ClassifierArm
from harness.arms.folded import FoldedArm
from harness.audit import record
from harness.audit.equality import equal_rows
from harness.early import Reference
from harness.errors import ConfigError, HarnessError
from harness.ledger import Ledger
from harness.panel import Answers
from harness.project import learnt, prediction_sets
from harness.runner import Progress, Runner
from harness.store import Store, is_partial
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pandas as pd

    from harness.audit.equality import Defects
    from harness.clock import SystemClock
    from harness.forecast import Forecast
    from harness.panel import Panel
    from harness.runner import Lookout
    from harness.types import JSON, Dataset
    from harness.wiring import Job, Scope
    from harness.workspace import Workspace

LEDGER = "calls.sqlite"
ITEMS_SHOWN = 25_000  # in one page; more are looked at with `harness view`


@dataclass(frozen=True, slots=True)
class Done:
    """What one invocation did: its run, how far it came, how long it took."""

    run_id: str
    progress: Progress
    wall_s: float

    @property
    def calls(self) -> analysis.Calls:
        """Requests of this invocation alone; items that were stored before count as cached."""
        progress = self.progress
        return analysis.Calls(progress.sent, progress.cached + progress.already, progress.retried)


class Project:
    """A workspace, its store and its ledger. `db` names another store than the workspace's own."""

    def __init__(self, workspace: Workspace, clock: SystemClock, db: Path | None = None) -> None:
        self.workspace = workspace
        self.clock = clock
        self.store = Store(db or workspace.default_store, clock)

    def ledger(self) -> Ledger:
        """The ledger of paid answers, beside the store."""
        self.store.path.parent.mkdir(parents=True, exist_ok=True)
        return Ledger(self.store.path.with_name(LEDGER))

    def dataset(self, ref: str | None) -> Dataset:
        """The dataset of that reference, or the workspace's default."""
        wanted = ref or self.workspace.preferences.dataset
        if wanted is None:
            raise ConfigError(
                "no dataset: give --dataset NAME@VERSION, or set `dataset` in [tool.harness]; "
                f"there are: {', '.join(datasets.refs(self.workspace.root)) or 'none yet'}"
            )
        return datasets.load(self.workspace.root, wanted)

    def audit_folder(self, dataset: Dataset) -> Path:
        """Where the audit of a dataset version lies: beside its reports."""
        return self.store.path.parent / dataset.ref

    async def carry_out(
        self,
        job: Job,
        dataset: Dataset,
        stop: asyncio.Event,
        watch: Callable[[Progress], None],
        lookout: Lookout | None = None,
    ) -> Done:
        """The finished job: fitted, run and stored. However it ends, what was answered is stored.

        A `lookout` is shown what the run has stored already, then every prediction as it comes.
        """
        store, run, start_s = self.store, job.run, self.clock.monotonic()
        store.add_dataset(dataset)
        if job.prompt is not None:
            prompt = job.prompt
            store.add_prompt(prompt.id, prompt.task, prompt.version, prompt.content)
        prices = f"{pricing.table_name()} at {self.clock.now():%Y-%m-%d}" if run.model else None
        store.start_run(run, dataset=dataset.ref, code_version=__version__, prices_as_of=prices)
        for prediction in store.stored(run.id).values() if lookout is not None else ():
            lookout.notice(prediction)  # type: ignore[union-attr]  # there is one
        runner = Runner(store, self.clock, stop, watch, lookout)
        fit_s: float | None = None
        status = "stopped"
        try:
            if len(store.done(run.id)) < len(job.items):
                fit_s = await self._fit(job)
            progress = await runner.run(run, job.arm, job.items, job.workers)
            whole = "done" if progress.done == progress.total else early.STATUS
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
        start_s = self.clock.monotonic()
        items = [example.item for example in job.training]
        labels = [example.label for example in job.training]
        await asyncio.to_thread(job.arm.fit, items, labels)
        return self.clock.monotonic() - start_s

    def results(self, dataset: Dataset, split: str, first: str | None = None) -> analysis.Results:
        """The latest complete run of every arm on a split, on the items of run `first` (or of the newest)."""
        frame = self.store.runs(dataset.id, split)
        runs = _latest(frame, first)
        if not runs:
            raise ConfigError(
                f"the store has no finished run on {dataset.ref} / {split}; start with: harness baselines "
                f"--dataset {dataset.ref} --split {split}"
            )
        found = self._analysed(dataset, split, runs)
        curves = learnt.stored(self.store, frame, len(dataset.in_split("train")), found)
        return replace(found, curves=curves, sets=prediction_sets.found(self, dataset, found))

    def _analysed(self, dataset: Dataset, split: str, runs: Sequence[analysis.RunFacts]) -> analysis.Results:
        predictions = self.store.predictions([run.run_id for run in runs])
        facts = analysis.Split(
            dataset=dataset.ref,
            dataset_id=dataset.id,
            name=split,
            kind=dataset.kind,
            labels=dataset.label_names,
            n=int((predictions["run_id"] == runs[0].run_id).sum()),
            looks=self.store.looks(dataset.id, split),
        )
        found = analysis.analyse(facts, runs, predictions, self._provenance(runs))
        preferences = self.workspace.preferences
        return replace(
            found,
            constraints=preferences.decide,
            cpu_usd_per_hour=preferences.cpu_usd_per_hour,
            items=self.store.items(found.leading) if facts.n <= ITEMS_SHOWN else None,
            prompts=self._prompts(found),
            defects=self._defects(dataset),
        )

    def _defects(self, dataset: Dataset) -> Defects:
        """What the last audit of this dataset found; without one, the rows that are equal."""
        path = self.audit_folder(dataset) / record.FILE
        found = record.defects(path.read_text(encoding="utf-8"), dataset.id) if path.is_file() else None
        return found or equal_rows(dataset)

    def _prompts(self, results: analysis.Results) -> tuple[analysis.PromptText, ...]:
        arms = {str(r.run.params["prompt"]): r.run.arm for r in results.runs if "prompt" in (r.run.params or {})}
        if not arms:
            return ()
        rows = self.store.prompts(list(arms)).to_dict("records")
        found = [analysis.PromptText(**row, arm=arms[row["id"]]) for row in rows]
        return tuple(sorted(found, key=lambda prompt: (prompt.task, len(prompt.version), prompt.version)))

    def answers(self, dataset: Dataset, split: str, names: Sequence[str]) -> list[Answers]:
        """The rows of runs, to be compared: by run id, unique prefix, tag or arm name.

        A run's repeats come with it. `ARM@VERSION` is the arm on another version of the dataset; of
        runs on different versions only the items that say the same in all of them are returned.
        """
        chosen = self._chosen(dataset, split, names)
        every = [run_id for repeats in chosen.values() for run_id in repeats]
        rows, frame = self.store.predictions(every), self.store.runs().set_index("run_id")
        found = [
            Answers(name, rows[rows["run_id"].isin(repeats)], str(frame.loc[repeats[0], "dataset"]))
            for name, repeats in chosen.items()
        ]
        versions = {
            dataset_id: self.store.examples(dataset_id) for dataset_id in frame.loc[every, "dataset_id"].unique()
        }
        return found if len(versions) < 2 else shared_items.only(found, list(versions.values()))

    def panel(self, dataset: Dataset, split: str) -> Panel:
        """Every arm's latest run and its repeats, side by side."""
        chosen = self._chosen(dataset, split, ())
        numbered = [(arm, run_id) for arm, repeats in enumerate(chosen.values()) for run_id in repeats]
        items, columns = self.store.scores(numbered)
        rows = panel.Rows(**columns)
        asked = np.unique(rows.item)
        place = np.full(len(items), -1)
        place[asked] = np.arange(len(asked))
        items = items.iloc[asked]
        ids, groups = items["example_id"].to_numpy(object), items["group"].to_numpy(object)
        return panel.of_rows(list(chosen), ids, groups, replace(rows, item=place[rows.item]))

    def _chosen(self, dataset: Dataset, split: str, names: Sequence[str]) -> dict[str, list[str]]:
        """The run ids behind each name (without names: behind every arm), repeats included."""
        frame = self.store.runs(dataset.id, split)
        if names:
            wanted = [self._resolve(name, dataset, split) for name in names]
            frame = self.store.runs() if not set(wanted) <= set(frame["run_id"]) else frame
        else:
            wanted = [run.run_id for run in _latest(frame, None) if run.repeat == 0]
        arms = dict(zip(frame["run_id"], frame["arm"], strict=True))
        called = [arms[run_id] for run_id in wanted]
        if len(set(called)) < len(called):  # runs of the same arm are told apart by what the user calls them
            models = dict(zip(frame["run_id"], frame["model"], strict=True))
            called = list(names) or [f"{arms[run_id]} {models[run_id]}" for run_id in wanted]
        if len(set(called)) < len(called):
            called = [f"{name} {run_id}" for name, run_id in zip(called, wanted, strict=True)]
        return {name: _repeats(frame, run_id) for name, run_id in zip(called, wanted, strict=True)}

    def reference(self, dataset: Dataset, scope: Scope, name: str | None) -> Reference:
        """The arm to hold a run against: by name, or else the best baseline on these items."""
        if name is not None:
            answers = self.answers(dataset, scope.split, [name])
        else:
            frame = self.store.runs(dataset.id, scope.split)
            baselines = [run for run in _latest(frame, None) if run.model is None]
            answers = self.answers(dataset, scope.split, [run.run_id for run in baselines]) if baselines else []
        wanted = {item.id for item in scope.items()}
        able = [one for one in answers if wanted <= set(one.rows["example_id"])]
        if not able:
            raise ConfigError(
                f"there is nothing to decide against: {name or 'no baseline'} has all of these "
                f"{numbers.plural(len(wanted), 'item')}; start with: harness baselines --dataset {dataset.ref}"
            )
        best = max(able, key=lambda one: one.rows["correct"].astype("Float64").mean())
        rows = best.rows.drop_duplicates("example_id")
        known = rows["correct"].astype(object).where(rows["correct"].notna(), None)
        return Reference(
            best.name,
            dict(zip(rows["example_id"], known, strict=True)),
            dict(zip(rows["example_id"], rows["gold"], strict=True)),
            chosen_from=len(able),
        )

    def with_repeats(self, run_id: str) -> list[str]:
        """A run and its repeats, the run first."""
        repeats = _repeats(self.store.runs(), run_id)
        return sorted(repeats, key=lambda other: other != run_id)

    def _resolve(self, name: str, dataset: Dataset, split: str) -> str:
        """The run of that name on this dataset; else on the version named behind `@`, or by its id or tag alone."""
        arm, _, version = name.partition("@")
        if version:
            other = datasets.load(self.workspace.root, f"{dataset.name}@{version}")
            return self.store.resolve(arm, other.id, split)
        try:
            return self.store.resolve(name, dataset.id, split)
        except ConfigError:
            frame = self.store.runs()
            run_id = self.store.resolve(name)
            row = frame[frame["run_id"] == run_id].iloc[0]
            if row["arm"] == name or str(row["dataset"]).partition("@")[0] != dataset.name:
                raise
            return run_id

    def run_results(self, name: str) -> analysis.Results:
        """The results of one run alone: by id, unique prefix, tag, or arm name."""
        run_id = self.store.resolve(name)
        frame = self.store.runs()
        row = frame[frame["run_id"] == run_id].to_dict("records")[0]
        dataset = datasets.load(self.workspace.root, row["dataset"])
        if dataset.id != row["dataset_id"]:
            raise ConfigError(f"run {run_id} was made on another {row['dataset']} than the one in datasets/")
        return self._analysed(dataset, row["split"], [_facts(row)])

    def result(self, results: analysis.Results, done: Done) -> analysis.RunResult:
        """A run's result, with the calls, the bill and the wall time of this invocation alone."""
        found = next(result for result in results.runs if result.run.run_id == done.run_id)
        run = replace(found.run, wall_s=done.wall_s)
        return replace(found, run=run, calls=done.calls, billed_usd=done.progress.billed_usd)

    def _provenance(self, runs: Sequence[analysis.RunFacts]) -> dict[str, str]:
        return {
            "harness": __version__,
            "prices as of": max((run.prices_as_of or "" for run in runs), default="") or "no prices used",
            "price of this machine": f"${self.workspace.preferences.cpu_usd_per_hour:.2f} per hour",
        }


def _found_out(job: Job) -> dict[str, JSON]:
    """What a job's arm and model have to say beside the predictions."""
    facts: dict[str, JSON] = dict(job.arm.facts()) if isinstance(job.arm, ClassifierArm | FoldedArm) else {}
    return facts if job.model is None else facts | {"limits": job.model.limits()}


def complain_about_failures(runs: Sequence[Done]) -> None:
    """Raise when items failed: the scorecard is printed, and the exit code says that it is not whole."""
    failed = sum(done.progress.outcomes[Outcome.FAILED] for done in runs)
    total = sum(done.progress.total for done in runs)
    if failed:
        reason = next((done.progress.error for done in runs if done.progress.error), "no reason was stored")
        again = "and are not scored; the same command asks them again"
        raise FailedItems(f"{failed} of {total} items failed {again}; the first with {reason}")


class FailedItems(HarnessError):
    """The run ended, and some items have no reply; resumable."""

    exit_code = 3
    is_aside = True


def _latest(frame: pd.DataFrame, first: str | None) -> list[analysis.RunFacts]:
    """Run `first` (or else the one with most items), then the newest run of every other arm."""
    is_whole = ~frame["params"].map(is_partial).astype(bool) | (frame["run_id"] == first)
    rows = frame[(frame["n"].fillna(0) > 0) & is_whole].sort_values("started_at")
    if rows.empty:
        return []
    leading = first or str(rows.sort_values("n", kind="stable")["run_id"].iloc[-1])
    facts = {row["run_id"]: _facts(row) for row in rows.to_dict("records")}
    newest = {_arm_of(run): run for run in facts.values()}
    newest[_arm_of(facts[leading])] = facts[leading]
    return sorted(newest.values(), key=lambda run: run.run_id != leading)


def _repeats(frame: pd.DataFrame, run_id: str) -> list[str]:
    """The run and its repeats: the same arm, model, seed and items, asked anew."""
    row = frame[frame["run_id"] == run_id].iloc[0]
    same = frame["n"].fillna(0) > 0
    for column in ("dataset_id", "split", "arm_id", "item_set", "seed"):
        same &= frame[column] == row[column]
    return [str(repeat) for repeat in frame[same | (frame["run_id"] == run_id)]["run_id"]]


def _arm_of(run: analysis.RunFacts) -> tuple[str, str | None, int]:
    return run.arm, run.model, run.repeat


def _facts(row: dict[str, object]) -> analysis.RunFacts:
    known = {key: None if value != value else value for key, value in row.items()}  # noqa: PLR0124  (NaN)
    for column in ("params", "facts"):
        if not isinstance(known.get(column), dict):
            known[column] = json.loads(str(known.get(column) or "{}"))
    return analysis.RunFacts(
        **{name: known.get(name) for name in analysis.RunFacts.__dataclass_fields__}  # type: ignore[arg-type]
    )

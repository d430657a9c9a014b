"""The Python API: a workspace to load datasets in, evaluate arms on, compare, decide and gate.

    import harness

    bench = harness.Workbench()
    tickets = bench.dataset("tickets.csv", text="body", label="queue")
    print(bench.evaluate(lambda text: "billing" if "invoice" in text else None, tickets, name="one-rule"))

Everything is stored where the command line stores it, and what is printed there shows itself here:
`print` gives text, a notebook a table. Mistakes raise `harness.errors.HarnessError` with one line
that says what was found and what was expected.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from harness import datasets
from harness.analysis import comparison, decision, gate, measures
from harness.analysis.curves import analyse as analysed
from harness.analysis.curves import in_unit as curve_in_unit
from harness.app.project import Project, curves, exchange, frames, gates, trying
from harness.app.project.fusions import Splits
from harness.app.workbench import foreign_arms
from harness.app.workbench.keywords import checked
from harness.app.workbench.shown import (
    Compared,
    Decided,
    Evaluation,
    Fused,
    Gated,
    Learned,
    ShownDataset,
    ShownResults,
    Written,
    shown,
)
from harness.arms.prompts import files
from harness.datasets import importing, tables
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import formatting, plugins, workspace
from harness.ground.clock import SystemClock
from harness.ground.constraints import Constraints
from harness.ground.gate_settings import GateSettings
from harness.ground.validation import validated
from harness.ground.workspace import checked_name
from harness.models import stack
from harness.runs import building, folds_and_parts
from harness.runs.scope import Scope
from harness.runs.spread import Size
from harness.store import matching

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pandas as pd

    from harness.analysis.fusion.chosen import How
    from harness.runs.job import Job
    from harness.types import Dataset

T = TypeVar("T")
PYTHON = "python:"
WRITTEN = "harness.app.workbench.written"  # loads what draws, which takes half a second


class Workbench:
    """A workspace: the nearest folder upwards with settings, or `root`; `db` names another store."""

    def __init__(self, root: Path | str | None = None, db: Path | str | None = None) -> None:
        found = workspace.find(Path.cwd(), None if root is None else Path(root))
        self.project = Project(found, SystemClock(), db)

    @checked("id", "tags", "group", "split")
    def dataset(
        self,
        source: str | Path | pd.DataFrame | None = None,
        *,
        name: str | None = None,
        text: str = "text",
        label: str = "label",
        **columns: str | None,
    ) -> ShownDataset:
        """A released dataset: by `name@version`, or made of a file or a DataFrame.

        Further columns: `id`, `tags`, `group` and `split`. Rows without a split get one by hash, 60/20/20.
        The same rows are the same version; other rows under a name that is taken make its next
        version. Raises `DatasetError` with file and line.
        """
        if source is None or (isinstance(source, str) and not Path(source).suffix):
            return shown(ShownDataset, self.project.dataset(source))
        if isinstance(source, str | Path):
            rows, stem = list(tables.read(Path(source))), Path(source).stem
        else:
            rows, stem = list(_rows(source)), "table"
        spec = datasets.ImportSpec(
            name=checked_name(name or stem, "dataset"),
            version="v1",
            text=text,
            label=label,
            id=columns.get("id"),
            tags=columns.get("tags"),
            group=columns.get("group"),
            split_column=columns.get("split"),
        )
        return self._released(spec, [(None, where, row) for where, row in rows])

    @checked("limit", stack.Asking)
    def evaluate(
        self,
        what: object,
        dataset: Dataset | str | None = None,
        *,
        split: str = "test",
        items: Sequence[str] = (),
        name: str | None = None,
        workers: int = 1,
        **options: Any,  # noqa: ANN401  (what a prompt's model is asked with: see `stack.Asking`)
    ) -> Evaluation:
        """An arm on a split, stored, and read back if the store or the ledger has it.

        `what` is a baseline's name (`minilm-lr`), a prompt (`prompt:v3`, or a path to a .j2 file), a
        function from text to label, or a scikit-learn estimator over texts. For a prompt, `model`,
        `base_url`, `budget_usd`, `repeat` and the other fields of `stack.Asking` may be given.
        `items` are the ids of the items to ask, where it is not all; `limit` a random part.
        `name` is what a function or an estimator is called in reports: `python:NAME`.
        """
        on = self._on(dataset)
        scope = Scope(on, split, options.pop("limit", None), tuple(items))
        if isinstance(what, str):
            run_id = self._job(what, scope, options)
        else:
            if options:
                raise ConfigError(f"{sorted(options)[0]!r} goes with a prompt; a function or an estimator takes none")
            run_id = self._own(what, scope, checked_name(name or _called(what), "name"), workers)
        return self._evaluation(run_id, on)

    def run(self, name: str) -> Evaluation:
        """A stored run, by id, unique prefix, tag or arm name."""
        run_id = self.project.anywhere(name).first.run_id
        return self._evaluation(run_id, None)

    def runs(self, dataset: Dataset | str | None = None, split: str | None = None) -> pd.DataFrame:
        """The stored runs, oldest first, of all datasets or one; `frames.RUNS` says what the columns mean."""
        dataset_id = None if dataset is None else self._on(dataset).id
        return frames.runs(self.project.store, self.project.store.selection(), dataset_id, split)

    @checked()
    def results(self, dataset: Dataset | str | None = None, split: str = "test") -> ShownResults:
        """The latest run of every arm on a split."""
        return shown(ShownResults, self.project.results(self._on(dataset), split))

    @checked("per_class", "limit", "processes")
    def curve(
        self,
        *arms: str,
        dataset: Dataset | str | None = None,
        split: str = "test",
        against: str | None = None,
        labels: Sequence[int] = (),
        seeds: int = 5,
        margin: float = 0.0,
        **options: Any,  # noqa: ANN401  (of several types)
    ) -> Learned:
        """Accuracy by number of labels, and from how many on an arm meets the run `against`; every fit is stored.

        `labels` are the numbers to try, or `per_class` those of each label; without either six, up to all. Further
        options: `limit`, a random part of the items, and `processes` at once.
        """
        on = self._on(dataset)
        sizes = [Size(n) for n in labels] + [Size(n, is_per_class=True) for n in options.get("per_class", ())]
        default = (Size(n) for n in folds_and_parts.default_sizes(len(curves.training(on)), len(on.label_names)))
        rival = None
        if against is not None:
            rival = curves.rival(self.project.answers(on, split, [against])[0], f"{on.ref} / {split}")
        plan = curves.CurvePlan(
            arms, tuple(sizes or default), tuple(range(seeds)), split, options.get("limit"), options.get("processes")
        )
        found = curves.learn(self.project, on, plan, lambda _: None)
        groups = {one.item.id: one.group for one in on.in_split(split) if one.group is not None}
        drawn = analysed(found, groups, rival, margin, np.random.default_rng(0))
        headline = measures.headline(Task.of(on))
        return Learned(tuple(curve_in_unit(one, headline) for one in drawn), margin)

    @checked(Constraints)
    def cascade(
        self,
        *arms: str,
        dataset: Dataset | str | None = None,
        split: str = "test",
        how: How = "cascade",
        choose_on: str = "dev",
        store: bool = False,
        **limits: Any,  # noqa: ANN401  (the fields of `constraints.Constraints`)
    ) -> Fused:
        """A fusion of stored arms, the cheapest first: chosen on one split, reported on another; nobody is asked.

        `how` is cascade, router, vote, vote-weighted or vote-stacked. With `store` it becomes an arm of its own.
        """
        on = self._on(dataset)
        spec = trying.FusionSpec(how, arms, Splits(choose_on, split))
        tried = trying.tried(self.project, on, spec, self._limits("cascade()", limits))
        run_id = self._carried_out(trying.job(self.project, on, tried), on) if store else None
        return Fused(tried.study, run_id)

    @checked()
    def report(self, dataset: Dataset | str | None = None, split: str = "test", *, post: bool = False) -> Written:
        """The report of a split with its figures, written beside the store; with `post` a draft of a blog post too."""
        results = self.project.results(self._on(dataset), split)
        return Written(import_module(WRITTEN).report(self.project, results, with_post=post))

    @checked()
    def figures(
        self,
        dataset: Dataset | str | None = None,
        split: str = "test",
        *,
        arms: Sequence[str] = (),
        size: tuple[int, int] | None = None,
        formats: Sequence[str] = ("svg", "png"),
    ) -> Written:
        """The figures of a split, of all arms or some, `size` in pixels; a notebook shows them."""
        results = self.project.results(self._on(dataset), split)
        written = import_module(WRITTEN)
        return Written(written.figures(self.project, results, arms, written.wanted(formats, size)))

    @checked()
    def compare(self, a: Evaluation | str, b: Evaluation | str, *, seed: int = 0) -> Compared:
        """`a` against `b` on the items that both were asked: paired, with interval and p."""
        there = next((each for each in (a, b) if not isinstance(each, str)), None) or self.run(str(a))
        names = [each if isinstance(each, str) else each.run_id for each in (a, b)]
        answers = self.project.answers(there.dataset, there.split, names)
        return Compared(comparison.compare(answers[0], answers[1], np.random.default_rng(seed)))

    @checked(Constraints)
    def decide(
        self,
        dataset: Dataset | str | None = None,
        split: str = "test",
        **constraints: Any,  # noqa: ANN401  (the fields of `constraints.Constraints`)
    ) -> Decided:
        """Which of the stored arms should serve the task; constraints as in `[decide]` of harness.toml."""
        limits = self._limits("decide()", constraints)
        return Decided(decision.decide(self.project.results(self._on(dataset), split), limits))

    @checked(GateSettings)
    def gate(
        self,
        candidate: Evaluation | str | None = None,
        baseline: Evaluation | str | None = None,
        **settings: Any,  # noqa: ANN401  (the fields of `gate_settings.GateSettings`)
    ) -> Gated:
        """The candidate against an evaluation, a run or a file; what is not given is `[gate]`'s of harness.toml."""
        given = dict(settings)
        if baseline is not None:
            given["baseline"] = baseline if isinstance(baseline, str) else baseline.run_id
        name = candidate if isinstance(candidate, str | None) else candidate.run_id
        one = self.run(candidate) if isinstance(candidate, str) else candidate
        if one is not None:
            given = {"split": one.split} | given
        chosen = replace(self.project.workspace.preferences.gate, **given)
        on = one.dataset if one is not None else self.project.dataset(None)
        base = gates.pinned(self.project, on, chosen)
        asking = stack.Asking.of(self.project.workspace.preferences, model=chosen.model)
        what = gates.Candidate(chosen, asking, name)
        asked = gates.asked(self.project, on, base, what, lambda jobs: [self._carried_out(job, on) for job in jobs])
        return Gated(gate.check(gates.measured(self.project, on, chosen, base, asked), chosen))

    def _on(self, dataset: Dataset | str | None) -> Dataset:
        return self.project.dataset(dataset) if isinstance(dataset, str | None) else dataset

    def _limits(self, where: str, given: dict[str, Any]) -> Constraints:
        """The workspace's constraints with those that are given, which are checked."""
        checked_limits = validated(Constraints, given, where)
        return replace(
            self.project.workspace.preferences.decide, **{name: getattr(checked_limits, name) for name in given}
        )

    def _evaluation(self, run_id: str, on: Dataset | None) -> Evaluation:
        results = shown(ShownResults, self.project.run_results(run_id))
        dataset = shown(ShownDataset, on or self.project.dataset(results.split.dataset))
        read = partial(frames.predictions, self.project.store, dataset, results)
        return Evaluation(run_id, dataset, results.split.name, results, read)

    def _released(
        self, spec: datasets.ImportSpec, rows: list[tuple[str | None, str, dict[str, tables.Cell]]]
    ) -> ShownDataset:
        root = self.project.workspace.root
        with tempfile.TemporaryDirectory() as scratch:
            importing.import_rows(Path(scratch), spec, rows, extra={}, origin=spec.name)
            made = datasets.load(Path(scratch), f"{spec.name}@v1")
        versions = [ref for ref in datasets.refs(root) if ref.partition("@")[0] == spec.name]
        for ref in reversed(versions):
            if (there := datasets.load(root, ref)).id == made.id:
                return shown(ShownDataset, there)
        taken = {ref.partition("@")[2] for ref in versions}
        version = next(f"v{i}" for i in range(1, len(taken) + 2) if f"v{i}" not in taken)
        importing.import_rows(root, replace(spec, version=version), rows, extra={}, origin=spec.name)
        return shown(ShownDataset, datasets.load(root, f"{spec.name}@{version}"))

    def _job(self, what: str, scope: Scope, options: dict[str, Any]) -> str:
        if what in self._baselines():
            job = building.baseline_job(what, scope, self.project.workspace, self.project.clock)
            return self._carried_out(job, scope.dataset)
        preferences = self.project.workspace.preferences
        prompt = files.load(
            self.project.workspace.root, preferences.task or scope.dataset.name, what.removeprefix("prompt:")
        )
        asking = stack.Asking.of(preferences, **options)
        with self.project.ledger() as ledger:
            job = building.prompt_job(prompt, scope, asking, self.project.workspace, ledger, self.project.clock)
            return self._carried_out(job, scope.dataset)

    def _carried_out(self, job: Job, dataset: Dataset) -> str:
        async def carry_out() -> str:
            try:
                done = await self.project.carry_out(job, dataset, asyncio.Event(), lambda _: None)
            finally:
                if job.model is not None:
                    await job.model.close()
            return done.run_id

        return _awaited(carry_out())

    def _own(self, what: object, scope: Scope, name: str, workers: int) -> str:
        clock, arm, start_s = self.project.clock, PYTHON + name, self.project.clock.monotonic()
        usd_per_hour = self.project.workspace.preferences.cpu_usd_per_hour
        fit_s = None
        if foreign_arms.is_estimator(what):
            asked = foreign_arms.of_estimator(what, scope.training(), scope.items(), usd_per_hour, clock)
            fitted = _awaited(asked)
            predictions, fit_s = fitted.predictions, fitted.fit_s
        elif callable(what):
            rows = _awaited(foreign_arms.of_function(what, scope.items(), workers, clock))
            predictions = matching.match(rows, scope.dataset, scope.split, arm).predictions
        else:
            raise ConfigError(f"found {what!r}; expected an arm's name, a prompt, a function or an estimator")
        [run] = matching.runs_of([predictions], scope.dataset, scope.split, arm, by_answers=True)
        if run.id not in self._stored():
            ended = exchange.Ended(wall_s=clock.monotonic() - start_s, fit_s=fit_s)
            exchange.keep(self.project, run, scope.dataset, predictions, ended)
        return run.id

    def _baselines(self) -> tuple[str, ...]:
        return plugins.names("baselines", self.project.workspace.extensions)

    def _stored(self) -> set[str]:
        return set(self.project.store.runs()["run_id"]) if self.project.store.exists() else set()


def _awaited(work: Coroutine[object, object, T]) -> T:
    """The result of asynchronous work, inside a notebook's running loop too."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _rows(frame: pd.DataFrame) -> Iterator[tables.Row]:
    for number, row in enumerate(frame.to_dict("records"), start=1):
        yield f"row {number}", {str(name): _cell(value) for name, value in row.items()}


def _cell(value: object) -> tables.Cell:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(part) for part in value]
    return None if formatting.is_missing(value) else str(value)


def _called(what: object) -> str:
    name = getattr(what, "__name__", type(what).__name__)
    return "function" if name == "<lambda>" else str(name).strip("_")

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
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from harness import datasets
from harness.analysis import comparison, decision, gate
from harness.app.project import Project, exchange, gates
from harness.app.workbench import foreign_arms
from harness.app.workbench.shown import Compared, Decided, Evaluation, Gated
from harness.arms.prompts import files
from harness.datasets import importing, tables
from harness.errors import ConfigError
from harness.ground import formatting, plugins, workspace
from harness.ground.clock import SystemClock
from harness.ground.workspace import checked_name
from harness.models import stack
from harness.runs import building
from harness.runs.scope import Scope
from harness.store import matching

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pandas as pd

    from harness.analysis.results import Results
    from harness.runs.job import Job
    from harness.types import Dataset

T = TypeVar("T")
PYTHON = "python:"


class Workbench:
    """A workspace: the nearest folder upwards with settings, or `root`; `db` names another store."""

    def __init__(self, root: Path | str | None = None, db: Path | str | None = None) -> None:
        found = workspace.find(Path.cwd(), None if root is None else Path(root))
        self.project = Project(found, SystemClock(), None if db is None else Path(db))

    def dataset(
        self,
        source: str | Path | pd.DataFrame | None = None,
        *,
        name: str | None = None,
        text: str = "text",
        label: str = "label",
        **columns: str | None,
    ) -> Dataset:
        """A released dataset: by `name@version`, or made of a file or a DataFrame.

        Further columns: `id`, `tags`, `group` and `split`. Rows without a split get one by hash, 60/20/20.
        The same rows are the same version; other rows under a name that is taken make its next
        version. Raises `DatasetError` with file and line, `ConfigError` for an unknown option.
        """
        if source is None or (isinstance(source, str) and not Path(source).suffix):
            return self.project.dataset(source)
        unknown = set(columns) - {"id", "tags", "group", "split"}
        if unknown:
            raise ConfigError(f"unknown column {sorted(unknown)[0]!r}; expected id, tags, group or split")
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
        on = dataset if not isinstance(dataset, str | None) else self.project.dataset(dataset)
        scope = Scope(on, split, options.pop("limit", None), tuple(items))
        if isinstance(what, str):
            run_id = self._job(what, scope, options)
        else:
            if options:
                raise ConfigError(f"{sorted(options)[0]!r} goes with a prompt; a function or an estimator takes none")
            run_id = self._own(what, scope, checked_name(name or _called(what), "name"), workers)
        return Evaluation(run_id, on, split, self.project.run_results(run_id))

    def run(self, name: str) -> Evaluation:
        """A stored run, by id, unique prefix, tag or arm name."""
        run_id = self.project.anywhere(name).first.run_id
        results = self.project.run_results(run_id)
        on = self.project.dataset(results.split.dataset)
        return Evaluation(run_id, on, results.split.name, results)

    def results(self, dataset: Dataset | str | None = None, split: str = "test") -> Results:
        """The latest run of every arm on a split."""
        on = dataset if not isinstance(dataset, str | None) else self.project.dataset(dataset)
        return self.project.results(on, split)

    def compare(self, a: Evaluation | str, b: Evaluation | str, *, seed: int = 0) -> Compared:
        """`a` against `b` on the items that both were asked: paired, with interval and p."""
        there = next((each for each in (a, b) if not isinstance(each, str)), None) or self.run(str(a))
        names = [each if isinstance(each, str) else each.run_id for each in (a, b)]
        answers = self.project.answers(there.dataset, there.split, names)
        return Compared(comparison.compare(answers[0], answers[1], np.random.default_rng(seed)))

    def decide(
        self,
        dataset: Dataset | str | None = None,
        split: str = "test",
        **constraints: Any,  # noqa: ANN401  (the fields of `constraints.Constraints`)
    ) -> Decided:
        """Which of the stored arms should serve the task; constraints as in `[tool.harness.decide]`."""
        settings = self.project.workspace.preferences.decide
        return Decided(decision.decide(self.results(dataset, split), replace(settings, **constraints)))

    def gate(
        self,
        candidate: Evaluation | str | None = None,
        baseline: Evaluation | str | None = None,
        **settings: Any,  # noqa: ANN401  (the fields of `gate_settings.GateSettings`)
    ) -> Gated:
        """The candidate against an evaluation, a run or a file; what is not given is `[tool.harness.gate]`'s."""
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

    def _released(
        self, spec: datasets.ImportSpec, rows: list[tuple[str | None, str, dict[str, tables.Cell]]]
    ) -> Dataset:
        root = self.project.workspace.root
        with tempfile.TemporaryDirectory() as scratch:
            importing.import_rows(Path(scratch), spec, rows, extra={}, origin=spec.name)
            made = datasets.load(Path(scratch), f"{spec.name}@v1")
        versions = [ref for ref in datasets.refs(root) if ref.partition("@")[0] == spec.name]
        for ref in reversed(versions):
            if (there := datasets.load(root, ref)).id == made.id:
                return there
        taken = {ref.partition("@")[2] for ref in versions}
        version = next(f"v{i}" for i in range(1, len(taken) + 2) if f"v{i}" not in taken)
        importing.import_rows(root, replace(spec, version=version), rows, extra={}, origin=spec.name)
        return datasets.load(root, f"{spec.name}@{version}")

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
        return set(self.project.store.runs()["run_id"]) if self.project.store.path.exists() else set()


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

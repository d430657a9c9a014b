"""What is read back of the store to be analysed: the results of runs, the rows of arms, arms side by side.

Where a split has more than `most_items`, some of them are looked at (see `store.subsample`), and whoever reads is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness import __version__
from harness.analysis import panel, people, shared_items, totals, wording
from harness.analysis.panel import Answers
from harness.analysis.results import PromptText, Results, RunFacts, Split, analyse
from harness.app.project import selecting, stores
from harness.datasets.audit import record
from harness.datasets.audit.equality import equal_rows
from harness.datasets.task import Task
from harness.types import KeptExamples

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

    from harness.analysis.measures import Measure
    from harness.analysis.panel import Panel
    from harness.datasets.audit.equality import Defects
    from harness.ground.workspace import Preferences
    from harness.store import Selected, Store
    from harness.store.subsample import Subsample
    from harness.types import Dataset

ITEMS_SHOWN = 25_000  # in one page; more are looked at with `harness view`


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """The answers in a store; `folder` is where reports and audits lie."""

    store: Store
    preferences: Preferences
    folder: Path

    def audit_folder(self, dataset: Dataset) -> Path:
        """Where the audit of a dataset version lies: beside its reports."""
        return self.folder / dataset.ref

    def analysed(
        self, dataset: Dataset, split: str, runs: Sequence[RunFacts], rows: pd.DataFrame | None = None
    ) -> Results:
        """The results of these runs, from their stored rows or from those that are given."""
        run_ids = [run.run_id for run in runs]
        only = self._looked_at(run_ids) if rows is None else None
        predictions = self.store.predictions(run_ids, only=only) if rows is None else rows
        facts = Split(
            dataset=dataset.ref,
            dataset_id=dataset.id,
            name=split,
            kind=dataset.kind,
            labels=dataset.label_names,
            n=int((predictions["run_id"] == runs[0].run_id).sum()),
            looks=self.store.looks(dataset.id, split),
            costs=dataset.costs,
            unlabelled=len(dataset.in_split(split)) - len(dataset.labelled(split)),
            subsample_of=0 if only is None else only.n_all,
        )
        found = analyse(facts, runs, predictions, self._provenance(runs))
        if only is not None:
            found = self._with_totals(found)
        preferences = self.preferences
        return replace(
            found,
            constraints=preferences.decide,
            cpu_usd_per_hour=preferences.cpu_usd_per_hour,
            items=self.store.items(found.leading, only) if facts.n <= ITEMS_SHOWN else None,
            prompts=self._prompts(found),
            defects=self._defects(dataset),
            people=people.people(dataset, split),
        )

    def _defects(self, dataset: Dataset) -> Defects | None:
        """What the last audit of this dataset found; without one, the rows that are equal, unless they are too many."""
        path = self.audit_folder(dataset) / record.FILE
        found = record.defects(path.read_text(encoding="utf-8"), dataset.id) if path.is_file() else None
        if found is None and not isinstance(dataset.examples, KeptExamples):
            found = equal_rows(dataset)
        return found

    def _prompts(self, results: Results) -> tuple[PromptText, ...]:
        names = {str(r.run.params["prompt"]): r.run.arm_name for r in results.runs if "prompt" in (r.run.params or {})}
        if not names:
            return ()
        rows = self.store.prompts(list(names)).to_dict("records")
        prompts = [PromptText(**row, arm=names[row["id"]]) for row in rows]
        return tuple(sorted(prompts, key=lambda prompt: (prompt.task, len(prompt.version), prompt.version)))

    def rows(self, chosen: Sequence[Selected]) -> list[Answers]:
        """The rows of what was selected, each under its name; of several dataset versions the items they share."""
        run_ids = [run_id for one in chosen for run_id in one.run_ids]
        only = self._looked_at(run_ids)
        rows = self.store.predictions(run_ids, only=only)
        task = self._task(chosen)
        answers = [
            Answers(
                one.name,
                rows[rows["run_id"].isin(one.run_ids)],
                one.first.dataset,
                run_ids=one.run_ids,
                passed_over=one.passed_over,
                task=task,
                left_out="" if only is None else wording.looked_at(rows["example_id"].nunique(), only.n_all),
            )
            for one in chosen
        ]
        versions = {one.first.dataset_id for one in chosen}
        if len(versions) > 1:
            answers = shared_items.only(answers, [self.store.examples(version) for version in versions])
        return [replace(one, fits=selecting.fits_of(one, of)) for one, of in zip(answers, chosen, strict=True)]

    def _task(self, chosen: Sequence[Selected]) -> Task:
        """What the runs were asked."""
        return self.store.task(chosen[0].first.dataset_id) if chosen else Task()

    def beside(self, task: Task, arms: Sequence[Selected], measure: Measure | None) -> tuple[Panel, str]:
        """Arms side by side by a metric, with their repeats and seeds; and which items these are, of very many."""
        if measure is not None and not measure.is_headline:
            answers = self.rows(arms)
            return panel.of([measure.judged(one) for one in answers]), answers[0].left_out if answers else ""
        runs = [(number, run) for number, one in enumerate(arms) for run in one.runs]
        only = self._looked_at([run.run_id for _, run in runs])
        items, columns = self.store.scores([(place, run.run_id) for place, (_, run) in enumerate(runs)], only)
        by_run = panel.Rows(**columns)
        rows = replace(by_run, arm=np.array([number for number, _ in runs], dtype=np.int64)[by_run.arm])
        asked = np.unique(rows.item)
        place = np.full(len(items), -1)
        place[asked] = np.arange(len(asked))
        items = items.iloc[asked]
        ids, groups = items["example_id"].to_numpy(object), items["group"].to_numpy(object)
        together = panel.of_rows([one.name for one in arms], ids, groups, replace(rows, item=place[rows.item]))
        together = replace(together, is_binary=task.rules.IS_BINARY, fits=selecting.fits_of_runs(runs, by_run))
        return together, "" if only is None else wording.looked_at(len(items), only.n_all)

    def _looked_at(self, run_ids: Sequence[str]) -> Subsample | None:
        """Which items are looked at; None: all."""
        return self.store.subsample(run_ids, self.preferences.most_items)

    def _with_totals(self, found: Results) -> Results:
        """The results with the counts, sums and times of all items."""
        run_ids = [one.run.run_id for one in found.runs]
        of_run = {str(one["run_id"]): one for one in self.store.totals(run_ids, found.leading)}
        runs = (
            totals.of_all_items(one, of_run[one.run.run_id]) if one.run.run_id in of_run else one for one in found.runs
        )
        return replace(found, runs=tuple(runs))

    def _provenance(self, runs: Sequence[RunFacts]) -> dict[str, str]:
        return {
            "harness": __version__,
            **stores.moment(self.store),
            "prices as of": max((run.prices_as_of or "" for run in runs), default="") or "no prices used",
            "price of this machine": f"${self.preferences.cpu_usd_per_hour:.2f} per hour",
        }

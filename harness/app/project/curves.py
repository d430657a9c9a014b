"""Learning curves of a workspace: arms x label counts x seeds, over all cores, resumable through the store.

Every fit is a run of its own, stored soon after it is done; what is stored is not fitted again.
Sizes are done in turn, the smallest first, so that a curve can end where it is flat; else all at once.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness import __version__
from harness.analysis import curves, measures
from harness.analysis.curves import Learnt, Rival
from harness.analysis.panel import Answers
from harness.datasets.task import Task
from harness.errors import ConfigError, Interrupted
from harness.ground import plugins
from harness.ground.spread_settings import Spread
from harness.runs import building, executors, folds_and_parts, spread
from harness.runs.gathering import Gathering
from harness.runs.scope import Scope
from harness.runs.spread import Fit, Place, Size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.analysis.panel import Answers
    from harness.app.project.project import Project
    from harness.types import Dataset, Example, Prediction, Run


@dataclass(frozen=True, slots=True)
class CurvePlan:
    """What is tried: arms, sizes (smallest first), the seeds that draw labels, on which items, on how many cores.

    `metric` is what the curve is of (None: the headline metric).
    """

    arms: tuple[str, ...]
    sizes: tuple[Size, ...]
    seeds: tuple[int, ...]
    split: str = "test"
    limit: int | None = None
    processes: int | None = None
    to_the_end: bool = False
    metric: str | None = None


def learn(project: Project, dataset: Dataset, curve_plan: CurvePlan, tell: Callable[[str], None]) -> list[Learnt]:
    """The curve of each arm, every fit stored; `Interrupted` when stopped, resumable."""
    curve_fits = _CurveFits(project, dataset, curve_plan)
    going, found = list(curve_plan.arms), {arm: _Growing() for arm in curve_plan.arms}
    turns = [curve_plan.sizes] if curve_plan.to_the_end else [(size,) for size in curve_plan.sizes]
    try:
        for sizes in turns:
            numbers = ", ".join(f"{curve_fits.labels(size):,}" for size in sizes)
            tell(f"{numbers} labels: {', '.join(going)} ...")
            credit = curve_fits.credit(going, sizes)
            for arm, size in product(going, sizes):
                found[arm].add(curve_fits.labels(size), credit[arm, size])
                found[arm].run_ids += curve_fits.run_ids(arm, size)
            going = [arm for arm in going if curve_plan.to_the_end or not curve_fits.is_flat(arm, found[arm])]
            if not going:
                break
    except KeyboardInterrupt:
        done = "every fit that was done is stored"
        raise Interrupted(f"stopped; {done}, and the same command goes on from there") from None
    finally:
        curve_fits.close()
    return [curve_fits.learnt(arm, found[arm], is_flat=arm not in going) for arm in curve_plan.arms]


def rival(answers: Answers, where: str) -> Rival:
    """What a curve has to meet: each item's score, the mean over the repeats of a run."""
    rows = answers.rows
    scores = rows.groupby("example_id")["credit"].mean().dropna()
    if scores.empty:
        raise ConfigError(f"{answers.name} has no scored item on {where}")
    return Rival(answers.name, {str(item): float(score) for item, score in scores.items()})


def training(dataset: Dataset) -> Sequence[Example]:
    """The items that can be learnt from; `ConfigError` when there are none."""
    found = tuple(dataset.labelled("train"))
    if not found:
        raise ConfigError(f"{dataset.ref} has no training split, so there is nothing to learn from")
    return found


@dataclass(slots=True)
class _Growing:
    """A curve so far: its sizes and, for each, seeds x items."""

    sizes: list[int] = field(default_factory=list)
    run_ids: list[str] = field(default_factory=list)
    credit: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, n: int, credit: NDArray[np.float64]) -> None:
        self.sizes.append(n)
        self.credit.append(credit)


class _CurveFits:
    """The training items, the items that are asked, and the runs of all fits."""

    def __init__(self, project: Project, dataset: Dataset, curve_plan: CurvePlan) -> None:
        self._project, self._dataset, self._curve_plan = project, dataset, curve_plan
        self._scope = Scope(dataset, curve_plan.split, curve_plan.limit)
        self._training = self._scope.training()
        gold = {example.item.id: example.label for example in dataset.labelled(curve_plan.split)}
        self._items = tuple(item for item in self._scope.items() if item.id in gold)
        self._measure = measures.mean_of_items(Task.of(dataset), curve_plan.metric, "has no learning curve")
        self._task, self._gold = Task.of(dataset), [gold[item.id] for item in self._items]
        groups = {example.item.id: example.group for example in dataset.in_split(curve_plan.split)}
        self._groups = {item: group for item, group in groups.items() if group is not None}
        for arm in curve_plan.arms:
            _check_learns(arm, project.workspace.extensions)
        self._runs = {(arm, seed): self._run(arm, seed) for arm in curve_plan.arms for seed in curve_plan.seeds}
        place = Place(project.workspace, dataset.ref, dataset.id, curve_plan.split, curve_plan.limit)
        self._pool = spread.FitPool(place, executors.connect(_spread(project, curve_plan)))
        # Drawing and hashing thousands of items takes longer than reading what is stored: each once.
        self._part = cache(self._drawn)
        self._run_of = cache(self._run_of_part)
        project.store.add_dataset(dataset)

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def labels(self, size: Size) -> int:
        """How many labels a size comes to: the same for every seed."""
        return len(self._part(size, self._curve_plan.seeds[0]))

    def credit(self, arms: Sequence[str], sizes: Sequence[Size]) -> dict[tuple[str, Size], NDArray[np.float64]]:
        """By arm and size the credit of the items, seeds x items; of the whole training split there is one draw."""
        # The longest first, so that no worker has long to do when the others have nothing left.
        runs = {
            Fit(arm, size, seed): self._run_of(Fit(arm, size, seed))
            for size in reversed(sizes)
            for arm in arms
            for seed in self._seeds(size)
        }
        known = self._stored(list(runs.values()))
        known |= self._fitted({run.id: fit for fit, run in runs.items() if run.id not in known})
        return {(arm, size): self._by_seed(arm, size, known) for arm, size in product(arms, sizes)}

    def _by_seed(self, arm: str, size: Size, known: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        drawn = np.array([known[run_id] for run_id in self.run_ids(arm, size)])
        return np.repeat(drawn, len(self._curve_plan.seeds) // len(drawn), axis=0)

    def _fitted(self, todo: Mapping[str, Fit]) -> dict[str, NDArray[np.float64]]:
        """By run the credit of the items, each run stored soon after it is done, whatever comes in between."""
        if todo:
            self._embed()
        found = {}
        store = partial(self._project.store.add_runs, dataset=self._dataset.ref, code_version=__version__)
        with closing(Gathering(store, self._project.clock)) as gathering:
            for done in self._pool.fitted(list(todo.values())):
                if done is not None:
                    fit, predictions = done
                    run = self._run_of(fit)
                    gathering.add(run, predictions)
                    found[run.id] = self._credits(predictions)
                gathering.store_due()
        return found

    def run_ids(self, arm: str, size: Size) -> list[str]:
        """The stored runs of a size, a seed each."""
        return [self._run_of(Fit(arm, size, seed)).id for seed in self._seeds(size)]

    def _seeds(self, size: Size) -> tuple[int, ...]:
        is_whole = self.labels(size) == len(self._training)
        return self._curve_plan.seeds[:1] if is_whole else self._curve_plan.seeds

    def is_flat(self, arm: str, so_far: _Growing) -> bool:
        """Whether larger sizes are not worth fitting."""
        curve = self.learnt(arm, so_far, is_flat=False)
        return curves.is_flat(curve, self._groups, np.random.default_rng(0))

    def learnt(self, arm: str, found: _Growing, *, is_flat: bool) -> Learnt:
        """The curve as a record."""
        items = tuple(item.id for item in self._items)
        is_cut = is_flat and len(found.sizes) < len(self._curve_plan.sizes)
        return Learnt(arm, tuple(found.sizes), np.stack(found.credit, axis=1), items, is_cut, tuple(found.run_ids))

    def _credits(self, predictions: Sequence[Prediction]) -> NDArray[np.float64]:
        answers = {prediction.item_id: prediction.label for prediction in predictions}
        return self._merits([answers[item.id] for item in self._items])

    def _merits(self, labels: Sequence[object]) -> NDArray[np.float64]:
        """What the answers to the items are worth by the metric, from 0 to 1, the best."""
        credit = self._task.credits(self._gold, labels)
        if self._measure.is_headline:
            return credit
        rows = pd.DataFrame({"gold": self._gold, "label": pd.Series(labels, dtype=object), "credit": credit})
        return np.asarray(self._measure.judged(Answers("", rows)).rows["credit"], dtype=np.float64)

    def _stored(self, runs: Sequence[Run]) -> dict[str, NDArray[np.float64]]:
        """Each run's credit for the items, of the runs that are stored whole; one look into the store for all."""
        if not self._measure.is_headline:
            return self._stored_answers(runs)
        found, columns = self._project.store.scores([(i, run.id) for i, run in enumerate(runs)])
        credit = np.full((len(runs), len(found)), np.nan)
        credit[columns["arm"], columns["item"]] = columns["score"]
        places = {str(example_id): place for place, example_id in enumerate(found["example_id"])}
        if not all(item.id in places for item in self._items):
            return {}
        mine = credit[:, [places[item.id] for item in self._items]]
        return {run.id: row for run, row in zip(runs, mine, strict=True) if not np.isnan(row).any()}

    def _stored_answers(self, runs: Sequence[Run]) -> dict[str, NDArray[np.float64]]:
        """The same by a metric that looks at the answers."""
        rows = self._project.store.predictions([run.id for run in runs])
        wanted = [item.id for item in self._items]
        found = {}
        for run in runs:
            mine = rows[rows["run_id"] == run.id].set_index("example_id")["label"]
            if set(wanted) <= set(mine.index):
                found[run.id] = self._merits(mine.loc[wanted].tolist())
        return found

    def _run(self, arm: str, seed: int) -> Run:
        project = self._project
        return building.baseline_job(arm, self._scope, project.workspace, project.clock, seed).run

    def _drawn(self, size: Size, seed: int) -> list[Example]:
        return size.part(self._training, seed, by_label=self._scope.dataset.kind == "single")

    def _run_of_part(self, fit: Fit) -> Run:
        return folds_and_parts.of_part(self._runs[fit.arm, fit.seed], self._part(fit.size, fit.seed))

    def _embed(self) -> None:
        """Embed every text once, before anything is fitted: a fit then finds the vectors in the cache."""
        workspace = self._project.workspace
        said = [plugins.declared("baselines", arm, workspace.extensions) for arm in self._curve_plan.arms]
        if not any("cache" in one.parameters for one in said):
            return
        encoder = workspace.preferences.encoder
        texts = [item.words for item in (*(example.item for example in self._training), *self._items)]
        if workspace.preferences.spread.executor is None:
            building.embed_with(encoder, workspace)(texts)  # here, on all cores
        else:
            self._pool.embed(encoder, texts)


def _spread(project: Project, curve_plan: CurvePlan) -> Spread:
    """Who fits: as the workspace says; else, or with a number of processes, processes of this machine."""
    chosen = project.workspace.preferences.spread
    if chosen.executor is None or curve_plan.processes is not None:
        return Spread("processes", workers=curve_plan.processes or chosen.workers)
    return chosen


def _check_learns(arm: str, extensions: Path) -> None:
    if arm not in plugins.names("baselines", extensions):
        kinds = ", ".join(plugins.names("baselines", extensions))
        raise ConfigError(f"{arm!r} does not learn from labels here; a curve takes one of {kinds}")
    if not plugins.declared("baselines", arm, extensions).constants.get("LEARNS", True):
        raise ConfigError(f"{arm!r} learns nothing from labels, so it has no learning curve")

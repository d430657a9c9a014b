"""Gold labels of some items and stored predictions of all, brought together for `analysis.estimation`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness import datasets
from harness.analysis import panel
from harness.analysis.comparison import Changed
from harness.analysis.estimation import Answered, Estimation, Gold
from harness.app.project import journals
from harness.arms.prompts import writing
from harness.datasets.sampling import WEIGHT
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import formatting
from harness.store import PassedOver
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.analysis.estimation import Fits
    from harness.app.project.project import Project
    from harness.store import Selected, Selection, StoredRun
    from harness.types import Dataset, Example

TRAIN, TEST = "train", "test"
LEAST_SHARE = 0.5  # of the items that an arm must have been asked to be estimated beside the others


@dataclass(frozen=True)
class Estimated:
    """The estimation of a split, and what was left out of it.

    `arms` are what was estimated, in the order of the names. `unweighted` labelled items were chosen, not drawn, so
    they stand for nobody; `passed_over` are runs. `untold` drawn items nobody could tell, on `disputed` ones people
    differ: they have no label, and are hardly like the others.
    """

    dataset: str
    split: str
    estimation: Estimation
    unweighted: int
    passed_over: tuple[PassedOver, ...]
    arms: tuple[Selected, ...] = ()
    untold: int = 0
    disputed: int = 0

    @property
    def unsettled(self) -> str:
        """Which drawn items an estimate does not hold, and what that means; empty where there is none."""
        told = [(self.untold, "that nobody could tell"), (self.disputed, "on which people differ")]
        which = " and ".join(f"{formatting.plural(n, 'item')} {what}" for n, what in told if n)
        return f"left out: {which}; the estimates are of items like those that have a label" if which else ""

    def checked(self) -> Estimated:
        """The same; `ConfigError` where no label can be used, for then there is nothing to estimate from."""
        if not self.estimation.n:
            at = "" if self.split == TEST else f" --split {self.split}"
            raise ConfigError(
                f"no label of {self.dataset} / {self.split} can be used, and an estimate needs some; "
                f"next: harness label {self.dataset}{at}"
            )
        return self


def estimate(
    project: Project, dataset: Dataset, split: str, labels: Mapping[str, tuple[str, float | None]] | None = None
) -> Estimated:
    """What every arm of a split is worth, by its gold labels; `labels` by item are further ones, not released yet.

    Beside each of them stands how many items it stands for (None: it was chosen, not drawn). Where none are given they
    are those of the version's journal.

    An arm that was not run on this version of the dataset is read from the newest version it was run on: an item is
    the same where id and text are. An arm's repeats and fits are read together, as on full labels. What learnt from a
    label cannot be measured by it: on the train split only cross-validated runs, and arms that learn nothing, are
    taken.
    """
    examples = {example.item.id: example for example in dataset.in_split(split)}
    if not examples:
        raise ConfigError(f"{dataset.ref} has no items in split {split!r}")
    chosen, passed_over = _arms(project, dataset, split)
    if not chosen:
        raise ConfigError(
            f"the store has no finished run on {dataset.name} / {split} that can be estimated; start with: "
            f"harness baselines --dataset {dataset.ref} --split {split}"
        )
    rows = project.store.guessed([run_id for one in chosen for run_id in one.run_ids])
    answered, kept, lacking = _answered(chosen, rows, examples)
    further = journals.labels(journals.of(project, dataset)) if labels is None else labels
    gold, unweighted = _gold(dataset, examples, further)
    open_ = [len(some & examples.keys()) for some in journals.unsettled(journals.of(project, dataset))]
    left_out = (*passed_over, *lacking)
    return Estimated(dataset.ref, split, Estimation(answered, gold), unweighted, left_out, kept, *open_)


def changed(made: Estimated, dataset: Dataset, a: str, b: str) -> list[Changed]:
    """The labelled items on which one of two arms has more credit than the other; failed calls are left out."""
    estimation = made.estimation
    answered, credits = estimation.answered, estimation.credits()
    first, second = answered.names.index(a), answered.names.index(b)
    texts = {example.item.id: example.item.text for example in dataset.in_split(made.split)}
    found = []
    for place, row in enumerate(estimation.rows):
        item, lead = answered.items[row], credits[place, first] - credits[place, second]
        if lead > 0 or lead < 0:
            said = [answered.word(row, arm) for arm in (first, second)]
            gold, right = estimation.gold.of[item], "a" if lead > 0 else "b"
            found.append(Changed(item, gold, said[0], said[1], right, texts[item]))
    return found


def answers(project: Project, dataset: Dataset) -> pd.DataFrame:
    """Every stored answer to the dataset's items, as `Store.guessed`: of each arm and split the run that stands."""
    splits = dict.fromkeys(example.split for example in dataset.examples)
    chosen = [one for split in splits for one in _arms(project, dataset, split)[0]]
    if not chosen:
        return pd.DataFrame(columns=["run_id", "example_id", "label", "score"])
    return project.store.guessed([one.first.run_id for one in chosen])


def _arms(project: Project, dataset: Dataset, split: str) -> tuple[list[Selected], list[PassedOver]]:
    """The arms of this version, then those that only earlier versions have, each by the newest that has it."""
    if not project.store.exists():
        return [], []
    selection = project.store.selection()
    chosen: dict[tuple[str, str | None], Selected] = {}
    passed_over = []
    for dataset_id, ref in _versions(project, dataset, selection):
        where = project.where(dataset, split)
        for one in selection.arms(type(where)(dataset_id, ref, split)):
            run = one.first
            if run.arm_id and (run.arm, run.model) not in chosen:
                if (reason := _unusable(project, run, split)) is not None:
                    passed_over.append(PassedOver(one.name, run.run_id, reason))
                    continue
                chosen[run.arm, run.model] = one
    return list(chosen.values()), passed_over


def _unusable(project: Project, run: StoredRun, split: str) -> str | None:
    """Why a run cannot be measured by the labels of a split; None when it can."""
    if split == TRAIN and run.n_train and "folds" not in run.params and "teacher" not in run.params:
        return "it learnt from these labels"
    rows = project.store.prompts([str(run.params["prompt"])]).to_dict("records") if "prompt" in run.params else []
    for row in rows:
        made = writing.as_stored(row["content"], row["task"], row["version"], row["id"]).header.made
        if made is not None and split in (made.chosen_on, TRAIN):
            return f"it was found by the labels of {TRAIN} and {made.chosen_on}"
    return None


def _versions(project: Project, dataset: Dataset, selection: Selection) -> Iterator[tuple[str, str]]:
    """This version's id and name, then the others' that have runs, the newest first."""
    yield dataset.id, dataset.ref
    refs = [ref for ref in datasets.refs(project.workspace.root) if ref.partition("@")[0] == dataset.name]
    ran = {run.dataset: run.dataset_id for run in selection.runs if run.dataset_id != dataset.id}
    for ref in reversed(refs):
        if ref in ran and ref != dataset.ref:
            yield ran[ref], ref


def _answered(
    chosen: Sequence[Selected], rows: pd.DataFrame, examples: Mapping[str, Example]
) -> tuple[Answered, tuple[Selected, ...], list[PassedOver]]:
    """The answers of the arms that were asked most items, on the items that all of these were asked."""
    known = rows[
        [
            examples[i].item.text == t if i in examples else False
            for i, t in zip(rows["example_id"], rows["text"], strict=True)
        ]
    ]
    by_run = dict(iter(known.groupby("run_id", sort=False)))
    none = known.iloc[:0]
    asked = [set[str]().union(*(by_run.get(run, none)["example_id"] for run in one.run_ids)) for one in chosen]
    most = max(map(len, asked), default=0)
    kept, lacking, shared = [], [], set(examples)
    for one, its in zip(chosen, asked, strict=True):
        if len(its) >= LEAST_SHARE * most:
            kept.append(one)
            shared &= its
        else:
            why = f"was asked {len(its):,} of {most:,} items"
            lacking.append(PassedOver(one.name, one.first.run_id, why))
    items = [item for item in examples if item in shared]
    if not items:
        raise ConfigError("no item was asked of all arms, so they cannot be estimated together")
    fits, run_ids = _columns(kept)
    frames = [by_run.get(run, none).set_index("example_id").reindex(items) for run in run_ids]
    labels = [frame["label"].astype(object).where(frame["label"].notna(), None) for frame in frames]
    codes, words = pd.factorize(np.concatenate([column.to_numpy(object) for column in labels]))
    groups = np.array([examples[item].group for item in items], dtype=object)
    answered = Answered(
        names=_names(kept),
        items=tuple(items),
        vocabulary=tuple(str(word) for word in words),
        answers=np.asarray(codes, dtype=np.int64).reshape(len(run_ids), len(items)).T,
        scores=np.column_stack([frame["score"].to_numpy(np.float64, na_value=np.nan) for frame in frames]),
        failed=np.column_stack([_is_lost(frame["outcome"]) for frame in frames]),
        groups=panel.clusters_of(groups),
        runs=fits if len(run_ids) > len(kept) else (),
    )
    return answered, tuple(kept), lacking


def _columns(arms: Sequence[Selected]) -> tuple[tuple[Fits, ...], list[str]]:
    """Of each arm the columns of its runs, fit by fit; and whose run each column is."""
    run_ids: list[str] = []
    found = []
    for one in arms:
        by_seed: dict[int, list[int]] = {}
        for run in one.runs:
            by_seed.setdefault(run.seed, []).append(len(run_ids))
            run_ids.append(run.run_id)
        found.append(tuple(tuple(columns) for columns in by_seed.values()))
    return tuple(found), run_ids


def _is_lost(outcome: pd.Series[str]) -> NDArray[np.bool_]:
    """Whether nobody knows what the arm would have said: its call failed, or this run was not asked the item."""
    return np.asarray(outcome.isna() | (outcome == Outcome.FAILED.value), dtype=np.bool_)


def _names(chosen: Sequence[Selected]) -> tuple[str, ...]:
    """Their names, each once: of two versions' arms with one name, the other is called by its version."""
    taken: dict[str, None] = {}
    for one in chosen:
        taken.setdefault(one.name if one.name not in taken else f"{one.name} ({one.first.dataset})")
    return tuple(taken)


def _gold(
    dataset: Dataset, examples: Mapping[str, Example], further: Mapping[str, tuple[str, float | None]]
) -> tuple[Gold, int]:
    """The gold labels that can be used, their weights, and how many cannot: chosen items stand for nobody."""
    of = {item: example.label for item, example in examples.items() if example.is_labelled}
    of |= {item: label for item, (label, _) in further.items() if item in examples}
    stored = {item: examples[item].item.fields.get(WEIGHT, "") for item in of}
    weights = {item: float(weight) for item, weight in stored.items() if weight}
    weights |= {item: weight for item, (_, weight) in further.items() if weight is not None and item in examples}
    unweighted = len(of) - len(weights) if weights else 0
    used = {item: label for item, label in of.items() if not weights or item in weights}
    task = Task.of(dataset)
    names = dataset.label_names if task.rules.IS_BINARY else ()
    return Gold(used, task.credit, names, weights, is_binary=task.rules.IS_BINARY), unweighted

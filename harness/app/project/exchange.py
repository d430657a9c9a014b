"""Runs in and out of a project: files of runs that travel, predictions made elsewhere, tables for people.

What a file says is checked against the dataset before anything is stored.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness import __version__, datasets
from harness.datasets import unread
from harness.datasets.task import Task
from harness.errors import ConfigError, DatasetError, MissingAnswers
from harness.ground import formatting, outputs, plugins, private, spreadsheets
from harness.ground.workspace import checked_name
from harness.store import matching, run_parquet
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from harness.app.project.project import Project
    from harness.store import Selected
    from harness.store.matching import Disputed, Foreign, Matched
    from harness.store.run_parquet import Contents
    from harness.types import Dataset, Prediction, Run

BASELINES = "baselines"
ROUNDING = 0.0005  # a share is printed with three digits
UNSAFE = re.compile(r"[^A-Za-z0-9._@-]+")


@dataclass(frozen=True, slots=True)
class Arrived:
    """Predictions that came in: their (first) run, and what became of the file's rows."""

    run_id: str
    matched: Matched


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run that was not carried out by the runner ended, and how long it took, in seconds."""

    status: str = "done"
    wall_s: float = 0.0
    fit_s: float | None = None


class MissingPredictions(MissingAnswers):
    """Items have no prediction; the rest is stored, and a fuller file completes it."""

    is_aside = True


@dataclass(frozen=True, slots=True)
class Rules:
    """How predictions made elsewhere are taken over.

    `exact`: a label must be spelled as the dataset spells it. `keep_anyway`: they are stored although no
    answer is a label, or although we find another accuracy than the file does.
    """

    exact: bool = False
    keep_anyway: bool = False


def bring_in(
    project: Project, rows: Iterable[Foreign], dataset: Dataset, split: str, name: str, rules: Rules = Rules()
) -> Arrived:
    """Predictions made elsewhere, stored as the arm `import:NAME`.

    Where the other tool asked the items several times, each time is stored as a repeat of the first.
    Raises `DatasetError` when no row matches an item, no answer is a label, or the file's own accuracy
    is another than ours.
    """
    arm = matching.PREFIX + checked_name(name, "arm")
    found = matching.match(rows, dataset, split, arm, exact=rules.exact)
    if not found.rows:
        raise DatasetError("the file holds no prediction at all; was it written to its end?")
    if not found.predictions:
        raise DatasetError(
            f"none of the {found.rows:,} rows matches an item of {dataset.ref} / {split}"
            f"{_first(found.unmatched)}; is the id or text column the right one?"
        )
    if not rules.keep_anyway and (doubt := _doubt(found, dataset)) is not None:
        raise DatasetError(f"{doubt}; nothing is stored (--keep-anyway stores it all the same)")
    runs = matching.runs_of(found.times, dataset, split, arm)
    for run, predictions in zip(runs, found.times, strict=True):
        keep(project, run, dataset, predictions, Ended("missing items" if found.missing else "done"))
    return Arrived(runs[0].id, found)


def _doubt(found: Matched, dataset: Dataset) -> str | None:
    """Why a file is probably not understood: no answer is a label, or its own accuracy is not what we find."""
    labels = dataset.label_names
    outcomes = Counter(one.outcome for predictions in found.times for one in predictions)
    if found.unread and not outcomes[Outcome.ANSWERED]:
        return (
            f"no prediction is one of the {len(labels)} labels of {dataset.ref}; the first is "
            f"{unread.sample(found.first_unread or '', labels)}"
        )
    if found.judged is None or abs(found.judged - (found.judged_here or 0.0)) <= ROUNDING:
        return None
    shown = "; ".join(
        f"{one.where}: {'right' if one.was_right else 'wrong'} there, here {_read(one)}, gold {one.gold!r}"
        for one in found.disputed
    )
    return (
        f"the file's own accuracy is {formatting.share(found.judged)}, and {formatting.share(found.judged_here)} as "
        "its "
        f"answers are read here: {shown}"
    )


def _read(one: Disputed) -> str:
    return f"{one.label!r}" if one.label is not None else f"no label in {unread.sample(one.answer or '', ())}"


def keep(project: Project, run: Run, dataset: Dataset, predictions: Sequence[Prediction], ended: Ended) -> None:
    """Store a run whose predictions are all there; one that is stored already stays as it is."""
    store = project.store
    store.add_dataset(dataset)
    store.start_run(run, dataset=dataset.ref, code_version=__version__)
    store.append(run.id, predictions)
    store.finish_run(run.id, status=ended.status, wall_s=ended.wall_s, fit_s=ended.fit_s)


def complain_about_missing(found: Matched) -> None:
    """Raise when items of the split have no prediction: the rest is stored, and the exit code says so."""
    if found.missing:
        asked = {one.item_id for predictions in found.times for one in predictions}
        n, total = len(found.missing), len(asked | set(found.missing))
        raise MissingPredictions(
            f"{n:,} of {total:,} items have no prediction, the first {found.missing[0]!r}; import a file that has them"
        )


def take_out(
    project: Project, chosen: Selected, path: Path | None, *, overwrites: bool = False
) -> tuple[Path, Contents]:
    """An arm's runs, written where they can be committed; the file and what it says of itself.

    `.parquet` is the form that `runs import` and `gate` read; `.csv` is a table for people, with
    text and gold label. Without a path it goes to results/baselines/. A file that is there stays, unless it
    `overwrites`, or was exported to that place without a name.
    """
    run_ids, run = list(chosen.run_ids), chosen.first
    if path is None:
        path = project.workspace.results / BASELINES / file_name(run.dataset, run.split, chosen.name)
        overwrites = overwrites or (path.is_file() and is_of_runs(path))
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError(
            f"--to {path}: the ending says no format; expected .parquet, .csv, or one of "
            f"{', '.join(plugins.names('exporters'))}"
        )
    outputs.check_free(path, "--to", overwrites=overwrites)
    if path.suffix.lower() == ".csv":
        return path, _write_csv(project, run_ids, path)
    return path, project.store.export(run_ids, path)


def file_name(dataset: str, split: str, arm: str) -> str:
    """What a file of runs is called when nobody says."""
    return UNSAFE.sub("-", f"{dataset}-{split}-{arm}.parquet")


def is_of_runs(path: Path) -> bool:
    """Whether a file was written by `runs export`."""
    return run_parquet.contents(path) is not None


def restore(project: Project, path: Path) -> Contents:
    """The runs of an exported file, entered as they were; errors when the file or the dataset is another."""
    told, _ = read_runs(project, path)
    project.store.add_dataset(datasets.load(project.workspace.root, told.runs[0].dataset))
    project.store.restore(path)
    return told


def read_runs(project: Project, path: Path) -> tuple[Contents, pd.DataFrame]:
    """What an exported file says of itself, and its rows with gold label and group, as `Store.predictions` has them.

    Raises `StoreError` when the rows are not those that were exported, `DatasetError` when they are
    not answers to this workspace's version of the dataset.
    """
    told = run_parquet.contents(path)
    if told is None:
        raise ConfigError(f"{path} is not a file of runs; harness runs export writes one")
    run = told.runs[0]
    dataset = datasets.load(project.workspace.root, run.dataset)
    if any(one.dataset_id != dataset.id for one in told.runs):
        raise ConfigError(
            f"{path} was made on another {run.dataset} ({run.dataset_id}) than the one in datasets/ ({dataset.id}); "
            "only runs on the same version compare: make the baseline again"
        )
    rows = run_parquet.rows(path, told)
    return told, _joined(rows, told, dataset, path)


def _joined(rows: pd.DataFrame, told: Contents, dataset: Dataset, path: Path) -> pd.DataFrame:
    examples = {example.item.id: example for example in dataset.in_split(told.runs[0].split)}
    _check(rows, told, dataset, path)
    unknown = rows.loc[~rows["example_id"].isin(list(examples)), "example_id"]
    if len(unknown):
        raise DatasetError(f"{path}: item {unknown.iloc[0]!r} is not in {dataset.ref} / {told.runs[0].split}")
    arms = {run.run_id: run.arm for run in told.runs}
    mine = [examples[example_id] for example_id in rows["example_id"]]
    gold = [example.label for example in mine]
    credit = Task.of(dataset).credits(gold, rows["label"])
    return rows.assign(
        arm=rows["run_id"].map(arms),
        gold=gold,
        group=[example.group for example in mine],
        credit=np.where(rows["outcome"] == Outcome.FAILED.value, np.nan, credit),
        text=[example.item.text for example in mine],
    )


def _check(rows: pd.DataFrame, told: Contents, dataset: Dataset, path: Path) -> None:
    """Raise when a row says what no run of ours can say: the file may come from anywhere."""
    answered = rows["outcome"] == Outcome.ANSWERED.value
    wrong = {
        "run_id": ~rows["run_id"].isin([run.run_id for run in told.runs]),
        "outcome": ~rows["outcome"].isin([outcome.value for outcome in Outcome]),
        "label": (answered != rows["label"].notna()) | (answered & ~rows["label"].isin(dataset.label_names)),
        "score": rows["score"].notna() & ~rows["score"].between(0, 1),
        "cost_usd": rows["cost_usd"].notna() & ~rows["cost_usd"].between(0, 1e9),
        "latency_s": rows["latency_s"].notna() & ~rows["latency_s"].between(0, 1e9),
    }
    for column, mask in wrong.items():
        if mask.any():
            row = rows[mask].iloc[0]
            raise DatasetError(
                f"{path}: item {row['example_id']!r} has {column} {row[column]!r}, "
                f"which no run of {dataset.ref} can have"
            )


def _write_csv(project: Project, run_ids: list[str], path: Path) -> Contents:
    """Text, gold and answers for people and spreadsheets: a cell that a spreadsheet would run gets a quote first."""
    rows = project.store.query(
        f"select {', '.join(CSV_COLUMNS)} from scored where run_id in ({', '.join(map(repr, run_ids))}) "
        "order by run_id, example_id",
        limit=10_000_000,
    )
    out = io.StringIO(newline="")
    writer = spreadsheets.Rows(out)
    writer.write([name.strip('"') for name in CSV_COLUMNS])
    for row in rows.itertuples(index=False):
        known = ("" if formatting.is_missing(cell) else cell for cell in row)
        writer.write([spreadsheets.guarded(cell) if isinstance(cell, str) else cell for cell in known])
    with private.replaced(path) as fresh:
        fresh.write_text(out.getvalue(), encoding="utf-8")
    return run_parquet.Contents("csv", "", len(rows), 0)


CSV_COLUMNS = (
    "run_id", "arm", "model", "example_id", "text", "gold", '"group"', "outcome", "label", "score", "credit", "correct",
    "raw", "error", "cost_usd", "billed_usd", "latency_s",
)  # fmt: skip


def _first(places: tuple[str, ...]) -> str:
    return f", the first {places[0]}" if places else ""


def sentences(found: Matched, labels: Sequence[str]) -> list[str]:
    """What became of a file's rows, in words."""
    told = [f"{_matched(found):,} of {formatting.plural(found.rows, 'row')} matched an item"]
    if found.repeats:
        told.append(f"the items were asked {len(found.times)} times there; each time is kept, as a repeat of the arm")
    for what, places in (("match no item", found.unmatched), ("repeat an item", found.duplicates)):
        if places:
            told.append(f"{formatting.plural(len(places), 'row')} left out that {what}, the first {places[0]}")
    if found.elsewhere:
        told.append(f"{formatting.plural(found.elsewhere, 'row')} left out: items of other splits")
    if found.unread:
        told.append(
            f"{formatting.plural(found.unread, 'prediction')} of {_matched(found):,} "
            f"{'is' if found.unread == 1 else 'are'} no label, the first "
            f"{unread.sample(found.first_unread or '', labels)}"
        )
    if found.judged is not None:
        told.append(f"accuracy in the file's own judgement {formatting.share(found.judged)}")
    if found.differently_judged:
        n, first = len(found.differently_judged), found.differently_judged[0]
        told.append(f"{formatting.plural(n, 'row')} judged differently there and here, the first {first}")
    return told


def facts(found: Matched) -> dict[str, object]:
    """What became of a file's rows, for `--json`."""
    told = {name: value for name, value in asdict(found).items() if name not in ("predictions", "repeats")}
    return told | {"matched": _matched(found), "repeats": len(found.repeats)}


def _matched(found: Matched) -> int:
    return sum(map(len, found.times))

"""What was selected, as reports and comparisons take it: facts of runs, arms that can stand side by side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import panel, results
from harness.errors import ConfigError
from harness.ground import formatting
from harness.stats import fits
from harness.store import PassedOver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from harness.analysis.panel import Answers, Panel, Rows
    from harness.stats.fits import Fits
    from harness.store import Selected, Selection, StoredRun, Where
    from harness.types import Dataset


def facts(
    frame: pd.DataFrame, selection: Selection, arms: Sequence[Selected], first: str | None = None
) -> list[results.RunFacts]:
    """What the store knows of the selected runs: run `first`, or the one with most items (the newest), comes first.

    `frame` is `Store.runs` of their split.
    """
    rows = {row["run_id"]: row for row in frame.to_dict("records")}
    runs = [(one, run) for one in arms for run in one.runs]
    leading = first or max(runs, key=lambda pair: (pair[1].n, _age(pair[1])))[1].run_id
    ordered = sorted(runs, key=lambda pair: (pair[1].run_id != leading, _age(pair[1])))
    return [_facts(rows[run.run_id], run, selection.name(run.run_id), one.name) for one, run in ordered]


def are_the_same(arms: Sequence[Selected], others: Sequence[Selected], first: str) -> bool:
    """Whether both are the same runs, and `first` among them has as many items as any: all stand on its items."""
    runs = {run.run_id: run for one in arms for run in one.runs}
    same = runs.keys() == {run.run_id for one in others for run in one.runs}
    return same and runs[first].n == max(run.n for run in runs.values())


def _age(run: StoredRun) -> tuple[int, str]:
    return run.started_us, run.run_id


def _facts(row: dict[str, object], run: StoredRun, name: str, arm_name: str) -> results.RunFacts:
    known = {key: None if value != value else value for key, value in row.items()}  # noqa: PLR0124  (NaN)
    known |= {"params": run.params, "is_finished": run.is_finished, "name": name, "arm_name": arm_name}
    known["facts"] = json.loads(str(known.get("facts") or "{}"))
    return results.RunFacts(
        **{field: known.get(field) for field in results.RunFacts.__dataclass_fields__}  # type: ignore[arg-type]
    )


def elsewhere(selected: Selected, where: Where) -> str:
    """The name of runs of another dataset version or split, which says so."""
    run = selected.first
    version = "" if run.dataset_id == where.dataset_id else f"@{run.dataset.partition('@')[2]}"
    return f"{selected.name}{version}" + ("" if run.split == where.split else f" / {run.split}")


def fits_of(answers: Answers, selected: Selected) -> tuple[float, ...]:
    """The mean score of each fit of an arm, from its rows; nothing where there is one."""
    if len({run.seed for run in selected.runs}) < 2:
        return ()
    scored = answers.rows.dropna(subset=["credit"])
    means = scored["credit"].astype(float).groupby(scored["run_id"]).mean().to_dict()
    return fits.by_seed([(run.seed, means.get(run.run_id)) for run in selected.runs])


def fits_of_runs(runs: Sequence[tuple[int, StoredRun]], rows: Rows) -> Fits | None:
    """How far the fits of arms lie apart; `runs` are pairs of arm and run, and `rows` have a run's place for an arm."""
    is_known = ~np.isnan(rows.score)
    n = np.bincount(rows.arm[is_known], minlength=len(runs))
    sums = np.bincount(rows.arm[is_known], weights=rows.score[is_known], minlength=len(runs))
    by_arm: dict[int, list[tuple[int, float | None]]] = {}
    for (arm, run), total, count in zip(runs, sums, n, strict=True):
        by_arm.setdefault(arm, []).append((run.seed, float(total / count) if count else None))
    found = fits.of([fits.by_seed(each) for each in by_arm.values()])
    return found if found.is_several else None


@dataclass(frozen=True)
class SideBySide:
    """The arms of a split: their panel, the (first) run of each name, and the runs that were passed over.

    `note` says which items these are, where there are very many.
    """

    panel: Panel
    run_ids: Mapping[str, str]
    passed_over: tuple[PassedOver, ...]
    note: str = ""


def comparable(together: Panel, arms: Sequence[Selected], passed_over: tuple[PassedOver, ...]) -> SideBySide:
    """The arms that can be compared: one that lacks too many of the items is passed over."""
    counts = together.asked.sum(axis=0)
    leading = together.asked[:, int(np.argmax(counts))]
    kept, left_out = [], []
    for number, one in enumerate(arms):
        run, missing = one.first, int((leading & ~together.asked[:, number]).sum())
        if run.lacks_too_many(missing, int(leading.sum())):
            lacks = f"has {int(leading.sum()) - missing:,} of the {formatting.plural(int(leading.sum()), 'item')}"
            left_out.append(PassedOver(one.name, run.run_id, lacks))
        else:
            kept.append(number)
    run_ids = {arms[number].name: arms[number].first.run_id for number in kept}
    return SideBySide(panel.part(together, kept), run_ids, (*left_out, *passed_over))


def check_gold(dataset: Dataset, split: str) -> None:
    """Raise `ConfigError` where items are there, and nobody has labelled one: there is nothing to score by."""
    if dataset.in_split(split) and not dataset.labelled(split):
        raise ConfigError(
            f"no item of {dataset.ref} / {split} has a label yet, so nothing can be scored; "
            f"next: harness label {dataset.name}"
        )

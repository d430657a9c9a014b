"""Sets of labels that hold the gold one as often as is promised: chosen on dev, counted on the split that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.stats import calibration
from harness.store import is_partial
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.analysis import Results, RunFacts
    from harness.project.project import Project
    from harness.stats.calibration import Sets
    from harness.types import Dataset

CHOOSER = "dev"
ALPHA = 0.1
SAME = ("arm", "arm_id", "model", "seed", "n_train")


def found(project: Project, dataset: Dataset, results: Results) -> Mapping[str, Sets]:
    """The sets of every run that gives scores and was run on dev too, by run id; none where dev itself is shown."""
    if results.split.name == CHOOSER:
        return {}
    frame = project.store.runs(dataset.id)
    choosers = {one.run.run_id: _on_dev(frame, one.run) for one in results.runs if "ece" in one.metrics}
    known = {run_id: chooser for run_id, chooser in choosers.items() if chooser is not None}
    if not known:
        return {}
    chosen = project.store.predictions(sorted(set(known.values())))
    gold = {run_id: _gold_scores(chosen[chosen["run_id"] == chooser]) for run_id, chooser in known.items()}
    thresholds = {run_id: calibration.conformal_threshold(scores, ALPHA) for run_id, scores in gold.items()}
    sizes = project.store.set_sizes(thresholds)
    return {
        run_id: _counted(results, run_id, sizes[sizes["run_id"] == run_id], (thresholds[run_id], len(gold[run_id])))
        for run_id in known
        if len(gold[run_id])
    }


def _on_dev(frame: pd.DataFrame, run: RunFacts) -> str | None:
    """The newest whole run of the same arm on dev; none of an arm that has learnt there, as a router has."""
    if "choice" in run.params:
        return None
    mine = frame[frame["run_id"] == run.run_id].iloc[0]
    same = (frame["split"] == CHOOSER) & (frame["n"].fillna(0) > 0) & ~frame["params"].map(is_partial).astype(bool)
    for column in SAME:
        same &= frame[column].isna() if pd.isna(mine[column]) else frame[column] == mine[column]
    there = frame[same].sort_values("started_at")
    return None if there.empty else str(there["run_id"].iloc[-1])


def _gold_scores(rows: pd.DataFrame) -> NDArray[np.float64]:
    """The gold label's score on every item that did not fail: 0 where it is not among those kept, or none was given."""
    asked = rows[rows["outcome"] != Outcome.FAILED.value]
    return np.asarray(np.nan_to_num(asked["gold_score"].to_numpy(np.float64, na_value=np.nan)))


def _counted(results: Results, run_id: str, sizes: pd.DataFrame, chosen: tuple[float, int]) -> Sets:
    threshold, chosen_n = chosen
    rows = results.predictions[results.predictions["run_id"] == run_id]
    asked = rows[rows["outcome"] != Outcome.FAILED.value]
    size = asked["example_id"].map(sizes.set_index("example_id")["size"]).to_numpy(np.float64)
    if threshold == 0.0:
        size = np.full(len(asked), float(len(results.split.labels)))
    return calibration.sets(_gold_scores(asked) >= threshold, size, threshold, chosen_n)

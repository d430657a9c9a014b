"""Sets of labels that hold the gold one as often as is promised: chosen on dev, counted on the split that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.stats import calibration
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.results import Results, RunFacts
    from harness.stats.calibration import Sets
    from harness.store import Selection, Store

CHOOSER = "dev"
ALPHA = 0.1


def found(store: Store, results: Results, run_ids: Sequence[str], most_items: int) -> Mapping[str, Sets]:
    """The sets of every run that gives scores and was run on dev too, by run id; none where dev itself is shown.

    `run_ids` are the runs that the results were read of: of very many items the same ones are looked at.
    """
    if results.split.name == CHOOSER:
        return {}
    selection = store.selection()
    choosers = {one.run.run_id: _on_dev(selection, one.run) for one in results.runs if "ece" in one.metrics}
    known = {run_id: chooser for run_id, chooser in choosers.items() if chooser is not None}
    if not known:
        return {}
    on_dev = sorted(set(known.values()))
    chosen = store.predictions(on_dev, only=store.subsample(on_dev, most_items))
    gold = {run_id: _gold_scores(chosen[chosen["run_id"] == chooser]) for run_id, chooser in known.items()}
    thresholds = {run_id: calibration.conformal_threshold(scores, ALPHA) for run_id, scores in gold.items()}
    sizes = store.set_sizes(thresholds, store.subsample(run_ids, most_items))
    return {
        run_id: _counted(results, run_id, sizes[sizes["run_id"] == run_id], (thresholds[run_id], len(gold[run_id])))
        for run_id in known
        if len(gold[run_id])
    }


def _on_dev(selection: Selection, run: RunFacts) -> str | None:
    """The run of the same arm and seed on dev; none of an arm that has learnt there, as a router has."""
    if "choice" in run.params:
        return None
    mine = selection.run(run.run_id)
    there = selection.like(mine, CHOOSER)
    fits = [] if there is None else [one for one in there.runs if (one.arm_id, one.seed) == (mine.arm_id, mine.seed)]
    return fits[-1].run_id if fits else None


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

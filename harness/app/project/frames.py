"""What the Python API gives as DataFrames: predictions with their texts, runs, a scorecard. Unknown is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.curves import Curve
    from harness.analysis.results import Results
    from harness.store import Selection, Store
    from harness.types import Dataset

PREDICTIONS = {
    "example_id": "the item's id",
    "text": "its text, for every item",
    "tags": "its tags, a tuple",
    "group": "the group it belongs to, if any",
    "gold": "its label in the dataset",
    "label": "the arm's answer; missing without one",
    "outcome": "answered, abstained, unparsed, refused or failed",
    "credit": "what the answer is worth, 0 to 1; missing where the call failed, which is scored as nothing",
    "correct": "whether the credit is 1; missing where it is unknown, and where answers have degrees",
    "score": "the arm's confidence in its answer, 0 to 1",
    "scores": "its confidence by label, a dict",
    "raw": "the reply as it came",
    "error": "why there is no answer",
    "cost_usd": "list price of the prediction, in dollars",
    "billed_usd": "what the run paid for it; 0 from the ledger",
    "latency_s": "seconds a caller would have waited for this item alone",
    "cached": "whether the ledger had the reply",
    "attempts": "requests that were sent for it",
    "input_fresh": "input tokens that were new",
    "cache_read": "input tokens read from the provider's cache",
    "cache_write": "input tokens written to it",
    "output_visible": "output tokens of the reply",
    "reasoning": "output tokens of thought",
    "answered_by": "the arm whose answer stands, of a cascade or a router",
}
"""The columns of `Evaluation.predictions`, in their order, and what they mean."""
RUNS = {
    "run_id": "the run's id",
    "name": "what it is called, unique on its split",
    "dataset": "name@version",
    "split": "the split that was scored",
    "arm": "the arm",
    "model": "the model that was asked, if any",
    "n": "predictions stored",
    "n_failed": "of these, calls that failed",
    "status": "done, failed items, stopped, ...",
    "purpose": "whole, part, fold, limited, shard or search: what the run was made for",
    "seed": "seed of whatever is random in the arm",
    "repeat": "number of the draw from the model",
    "n_train": "training items it learnt from",
    "tag": "the tag it was given",
    "started_at": "when it began",
    "wall_s": "seconds it took in all",
    "fit_s": "seconds of fitting",
}
"""The columns of `Workbench.runs()`, in their order, and what they mean."""


def predictions(store: Store, dataset: Dataset, results: Results) -> pd.DataFrame:
    """One row per item of the results' first run: what it says, what was answered, what that cost."""
    run_id = results.runs[0].run.run_id
    is_part = bool(results.split.subsample_of)
    rows = store.predictions([run_id]) if is_part else results.predictions[results.predictions["run_id"] == run_id]
    items = {example.item.id: example for example in dataset.examples}
    stored = store.stored(run_id)
    is_known = rows["credit"].notna() & results.split.task.rules.IS_BINARY
    found = rows.assign(
        text=[items[one].item.text for one in rows["example_id"]],
        tags=[items[one].item.tags for one in rows["example_id"]],
        group=[items[one].group for one in rows["example_id"]],
        raw=[stored[one].raw for one in rows["example_id"]],
        scores=[None if (said := stored[one].scores) is None else dict(said) for one in rows["example_id"]],
        correct=(rows["credit"] == 1).astype("boolean").where(is_known),
    )
    return found.reindex(columns=list(PREDICTIONS)).reset_index(drop=True)


def runs(store: Store, selection: Selection, dataset_id: str | None, split: str | None) -> pd.DataFrame:
    """The stored runs, oldest first."""
    frame = store.runs(dataset_id, split)
    return frame.assign(name=[selection.name(str(one)) for one in frame["run_id"]]).reindex(columns=list(RUNS))


def scorecard(results: Results) -> pd.DataFrame:
    """One row per run, best first: the headline metric with its interval, money and waiting."""
    rows = [
        {
            "arm": one.run.name,
            "model": one.run.model,
            "run_id": one.run.run_id,
            "n": one.n,
            **{name: estimate.value for name, estimate in one.metrics.items()},
            "low": one.headline.low,
            "high": one.headline.high,
            "unanswered": one.unanswered,
            "cost_per_1000_usd": one.cost_per_1000_usd,
            **{f"{name}_s": seconds for name, seconds in one.latency_s.items()},
        }
        for one in results.runs
    ]
    return pd.DataFrame(rows)


def curves(found: Sequence[Curve]) -> pd.DataFrame:
    """One row per arm and number of labels."""
    rows = [
        {
            "arm": one.arm,
            "labels": at.n_labels,
            "accuracy": at.estimate.value,
            "low": at.estimate.low,
            "high": at.estimate.high,
        }
        for one in found
        for at in one.points
    ]
    return pd.DataFrame(rows)


def items(dataset: Dataset, shown: int = 5) -> tuple[tuple[str, str, str], ...]:
    """The first items as text, label and split, cut to a line."""
    return tuple((_line(one.item.words), one.label, one.split) for one in dataset.examples[:shown])


def _line(text: str, longest: int = 100) -> str:
    """The text on one line, cut where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"

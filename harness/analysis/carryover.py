"""What a new dataset version does to stored runs: which of their items still stand, and what they score now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.datasets.task import Task
from harness.stats import margins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from harness.types import Dataset, Estimate


@dataclass(frozen=True, slots=True)
class Carried:
    """One run of the old version, seen from the new one.

    Of the items it predicted, `kept` have the same text in the same split; `relabelled` of those
    have another gold label, under which `after` scores them anew. `gone` were removed, reworded or
    moved to another split; `to_ask` stand in the split now and have no prediction.
    """

    run_id: str
    arm: str
    split: str
    kept: int
    relabelled: int
    gone: int
    to_ask: int
    before: Estimate
    after: Estimate


def carried(run: Mapping[str, str], rows: pd.DataFrame, old: Dataset, new: Dataset) -> Carried:
    """What becomes of a run (run_id, arm, split) with these predictions when `new` replaces `old`."""
    was = {example.item.id: example for example in old.examples}
    now = {example.item.id: example for example in new.labelled(run["split"])}
    predicted = dict(zip(rows["example_id"], rows["label"], strict=True))
    kept = [key for key in predicted if key in now and key in was and now[key].item == was[key].item]
    failed = set(rows.loc[rows["credit"].isna(), "example_id"])
    return Carried(
        run_id=run["run_id"],
        arm=run["arm"],
        split=run["split"],
        kept=len(kept),
        relabelled=sum(was[key].label != now[key].label for key in kept),
        gone=len(predicted) - len(kept),
        to_ask=len(now) - len(kept),
        before=_accuracy([key for key in predicted if key in was and key not in failed], predicted, old),
        after=_accuracy([key for key in kept if key not in failed], predicted, new),
    )


def _accuracy(scored: Sequence[str], predicted: Mapping[str, object], dataset: Dataset) -> Estimate:
    gold = {example.item.id: example.label for example in dataset.examples}
    return margins.share(Task.of(dataset).credits([gold[key] for key in scored], [predicted[key] for key in scored]))

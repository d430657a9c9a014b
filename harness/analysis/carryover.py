"""What a new dataset version does to stored runs: which of their items still stand, and what they score now. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from harness.types import Dataset, Estimate, Example


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
    failed = set(rows.loc[rows["correct"].isna(), "example_id"])
    return Carried(
        run_id=run["run_id"],
        arm=run["arm"],
        split=run["split"],
        kept=len(kept),
        relabelled=sum(was[key].label != now[key].label for key in kept),
        gone=len(predicted) - len(kept),
        to_ask=len(now) - len(kept),
        before=_accuracy([key for key in predicted if key in was], predicted, was, failed),
        after=_accuracy(kept, predicted, now, failed),
    )


def _accuracy(
    ids: list[str], predicted: Mapping[str, object], examples: Mapping[str, Example], failed: Collection[str]
) -> Estimate:
    scored = [key for key in ids if key not in failed]
    return intervals.wilson(sum(predicted[key] == examples[key].label for key in scored), len(scored))

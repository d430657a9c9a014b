"""What a candidate must keep to be deployed, and against what: `[tool.harness.gate]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Margin = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True, slots=True)
class GateSettings:
    """Who is compared with what, and the limits. None, or nothing listed: not checked.

    `prompt` (a version) or `arm` (a baseline, or a run in the store) is the candidate; `baseline` is a
    file of `runs export`, or a run by id, tag or arm. `margin` is the accuracy that may be given away
    overall, `class_margin` and `slice_margin` the recall in a class and the accuracy in a slice;
    `slices` are the columns (or `tags`) whose values are slices, from `least_slice` items on.
    `min_credit` is the least mean credit, `min_accuracy` its name where answers are right or wrong;
    `at_least` and `at_most` limit any metric of the task by its name.
    `label_mix` is the share of each label in production, where that is not the split's: accuracy, the least credit
    and means of metrics are then weighed to it (`stats.strata.of`); recalls, slices, rates, bills and times are not.
    `max_calibration_drift` is how far confidence minus accuracy may move. `canaries` are ids of items
    that must be right. A row whose column `injected` names another item's id is that item with
    something injected, and its answer may differ on `max_flips` of them; they may stand in a split of
    their own, `injected_split`. `max_looks` is how often the split may have been scored.
    """

    label_mix: Mapping[str, Share] = field(default_factory=dict)
    baseline: str | None = None
    prompt: str | None = None
    arm: str | None = None
    model: str | None = None
    split: str = "test"
    repeat: Annotated[int, Field(ge=1, le=100)] = 1
    margin: Margin = 0.02
    class_margin: Margin | None = 0.10
    slice_margin: Margin = 0.10
    slices: tuple[str, ...] = ()
    least_slice: Annotated[int, Field(ge=1)] = 20
    min_credit: Share | None = None
    min_accuracy: Share | None = None
    min_recall: Mapping[str, Share] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    max_unparsed: Share | None = None
    max_refused: Share | None = None
    max_failed: Share = 0.0
    max_usd_per_1000: Amount | None = None
    max_p95_s: Amount | None = None
    max_calibration_drift: Share | None = None
    canaries: tuple[str, ...] = ()
    injected: str | None = None
    injected_split: str | None = None
    max_flips: Share = 0.05
    max_looks: Annotated[int, Field(ge=1)] | None = None
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    power: Annotated[float, Field(gt=0, lt=1)] = 0.9

    @property
    def alpha(self) -> float:
        """The one-sided error rate of every check."""
        return (1 - self.confidence) / 2

    @property
    def least_credit(self) -> float | None:
        """The least mean credit; where answers are right or wrong that is the accuracy, and may be called so."""
        return self.min_accuracy if self.min_credit is None else self.min_credit

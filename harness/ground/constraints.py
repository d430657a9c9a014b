"""What an arm must keep to be served, and the prices a verdict reckons with: `[tool.harness.decide]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Months = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class Constraints:
    """Limits (None: no limit) and prices.

    `label_mix` is the share of each label in production, where that is not the split's: see `stats.strata.of`.
    `min_credit` is the least mean credit, `min_accuracy` the same under the name that it has where answers are right
    or wrong; `min_recall` is the least recall by label; `at_least` and `at_most` limit any metric by its name. The arm
    is chosen by the metric `objective` (None: the headline metric, the mean credit). `margin` is how much of it may be
    given away for a cheaper arm. `monthly_volume` items a month are served for `months`. Below `usd_that_matters` a
    month, two bills count as the same. `looks` is how many tries that are not shown may have been scored on the split
    before the verdict says what that costs: of six equal tries the best one's 95% interval covers in .90, and of more
    in less.

    What an arm costs beside its running: `usd_per_label` for each training label, and for
    `labels_per_retraining` more at every retraining, `retrain_every_months` (None: never); `hours` of
    work by arm, at `usd_per_hour_of_work`. With `hosting` "own", an arm that runs here has machines to
    itself, paid around the clock; "shared", it pays for the seconds it computes, on a machine that is kept
    busy by other work. With `batch`, hosted models are asked through their batch API: half price, no latency.
    """

    label_mix: Mapping[str, Share] = field(default_factory=dict)
    min_credit: Share | None = None
    min_accuracy: Share | None = None
    min_recall: Mapping[str, Share] = field(default_factory=dict)
    at_least: Mapping[str, float] = field(default_factory=dict)
    at_most: Mapping[str, float] = field(default_factory=dict)
    objective: str | None = None
    max_usd_per_1000: Amount | None = None
    max_p95_s: Amount | None = None
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02
    monthly_volume: Annotated[int, Field(ge=1)] = 100_000
    months: Months = 12
    usd_per_label: Amount = 0.0
    usd_that_matters: Amount = 1.0
    retrain_every_months: Months | None = None
    labels_per_retraining: Count = 0
    usd_per_hour_of_work: Amount = 0.0
    hours: Mapping[str, Amount] = field(default_factory=dict)
    hosting: Literal["shared", "own"] = "shared"
    batch: bool = False
    looks: Count = 5

    @property
    def retrainings(self) -> int:
        """How often an arm is trained again within the months it serves."""
        return 0 if self.retrain_every_months is None else (self.months - 1) // self.retrain_every_months

    @property
    def least_credit(self) -> float | None:
        """The least mean credit; where answers are right or wrong that is the accuracy, and may be called so."""
        return self.min_accuracy if self.min_credit is None else self.min_credit

"""What an arm must keep to be served, and the prices a verdict reckons with: `[tool.harness.decide]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Constraints:
    """Limits (None: no limit) and prices.

    `min_recall` is the least recall by label. `margin` is the accuracy that may be given away for a
    cheaper arm. `monthly_volume` items a month are served for `months`; `usd_per_label` is what a
    training label costs. Below `usd_that_matters` a month, two bills count as the same.
    """

    min_accuracy: Share | None = None
    min_recall: Mapping[str, Share] = field(default_factory=dict)
    max_usd_per_1000: Amount | None = None
    max_p95_s: Amount | None = None
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.02
    monthly_volume: Annotated[int, Field(ge=1)] = 100_000
    months: Annotated[int, Field(ge=1)] = 12
    usd_per_label: Amount = 0.0
    usd_that_matters: Amount = 1.0

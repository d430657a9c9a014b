"""Comparisons of arms that a metric judged, in the metric's own unit. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.analysis.measures import Measure
    from harness.types import Estimate


def in_unit(one: Comparison, measure: Measure) -> Comparison:
    """A comparison of arms that a metric judged, its differences in the metric's own unit: a minus b."""
    if measure.is_headline:
        return one
    return replace(
        one,
        table=None,
        difference=measure.gap_of_merit(one.difference),
        together=None if one.together is None else measure.gap_of_merit(one.together),
        mde=None if one.mde is None else one.mde * measure.span,
        answered=None if one.answered is None else in_unit(one.answered, measure),
        further=tuple(other for other in one.further if other.name != measure.name),
    )


def stretched(one: Comparison, span: float) -> Comparison:
    """A comparison whose differences are counted in a unit of which `span` make 1; a lead stays a lead."""
    if span == 1:
        return one
    together = None if one.together is None else _times(one.together, span)
    mde = None if one.mde is None else one.mde * span
    return replace(one, difference=_times(one.difference, span), together=together, mde=mde)


def _times(found: Estimate, span: float) -> Estimate:
    value, low, high = (None if end is None else end * span for end in (found.value, found.low, found.high))
    return replace(found, value=value, low=low, high=high)

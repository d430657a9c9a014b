"""A candidate against a baseline by few gold labels and the predictions on all items: what takes gold's place. Pure."""

from __future__ import annotations

from dataclasses import replace
from math import isinf
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.stats.margins import Evidence
from harness.stats.paired import Weights
from harness.types import Estimate

if TYPE_CHECKING:
    from harness.analysis.few_labels import FewLabels
    from harness.ground.gate_settings import GateSettings
    from harness.stats.shares import Shares

CANDIDATE, BASELINE = 0, 1


def check_settings(settings: GateSettings) -> None:
    """`ConfigError` for limits that few labels do not estimate."""
    asked = {
        "label_mix": bool(settings.label_mix),
        "slices": bool(settings.slices),
        "at_least": bool(settings.at_least),
        "at_most": bool(settings.at_most),
        "max_calibration_drift": settings.max_calibration_drift is not None,
    }
    found = [name for name, is_set in asked.items() if is_set]
    if found:
        raise ConfigError(
            f"few labels estimate the headline metric and recalls; found gate.{found[0]}: leave it out, or leave out "
            "--estimate"
        )


def sentence(few: FewLabels) -> str:
    """What the checks rest on, and what was not checked."""
    return f"{few.sentence}. Classes are not watched one by one: few labels cannot."


def evidence(few: FewLabels, settings: GateSettings) -> Evidence:
    """The candidate less the baseline: its labels, with the design effect that makes them worth what they are."""
    found = few.found[CANDIDATE][BASELINE]
    n, value = found.estimate.n, found.estimate.value or 0.0
    low, high = (float(ends[CANDIDATE, BASELINE]) for ends in few.pairs.limits(settings.alpha))
    known = found.evidence.worth > 0
    difference = Estimate("difference", found.estimate.value, None, None, n, found.estimate.method)
    if known:
        difference = replace(difference, low=max(-1.0, low), high=min(1.0, high))
    apart, freedom = found.evidence.apart, found.evidence.freedom
    return Evidence(
        difference,
        Weights(n, n * (apart + value) / 2, n * (apart - value) / 2),
        n / found.evidence.worth if known else 1.0,
        None if isinf(freedom) else int(freedom) + 1,
    )


def mean(few: FewLabels, side: int, name: str, settings: GateSettings) -> Estimate:
    """The headline metric of a side."""
    found = few.estimates[side].estimate
    return _mean(few.means.seen, side, Estimate(name, found.value, None, None, found.n, found.method), settings)


def recall(few: FewLabels, label: str | None, name: str, settings: GateSettings) -> tuple[Estimate, Shares]:
    """The candidate's recall of a label, or its headline metric (None), and what it is tested by."""
    seen = few.of(label).seen
    value = float(seen.mean[CANDIDATE]) if seen.n[CANDIDATE] else None
    return _mean(seen, CANDIDATE, Estimate(name, value, None, None, few.n_gold, "PPI++"), settings), seen


def _mean(shares: Shares, side: int, found: Estimate, settings: GateSettings) -> Estimate:
    if not shares.n[side]:
        return found
    low, high = (float(ends[side]) for ends in shares.limits(settings.alpha))
    return Estimate(found.name, found.value, low, high, found.n, found.method)

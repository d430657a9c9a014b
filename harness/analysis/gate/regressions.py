"""Whether the candidate is worse than the baseline by more than a margin: overall, in a class, in a slice.

One score test a part, corrected within its family (Holm 1979). Overall must be shown to be close;
classes and slices are watched, because they are small: they fail the gate when they are shown to be
worse, and do not keep it from passing when they are too small to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis.gate import estimated
from harness.analysis.gate.findings import Check
from harness.ground import formatting
from harness.stats import margins, multiplicity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.analysis.gate.findings import Verdict
    from harness.analysis.gate.measured import Measured, Paired
    from harness.ground.gate_settings import GateSettings
    from harness.stats.margins import Evidence
    from harness.types import JSON


@dataclass(frozen=True, slots=True)
class Part:
    """A family's member: what it is called, and what its items say."""

    name: str
    evidence: Evidence


def checks(measured: Measured, pairs: Paired, settings: GateSettings) -> Iterator[Check]:
    """The headline metric overall, the recall of each class, the headline metric of each slice."""
    noun = measured.task.noun
    few = measured.few
    whole = Part(noun, _evidence(pairs, settings) if few is None else estimated.evidence(few, settings))
    if measured.unchanged:
        yield Check(
            noun,
            "pass",
            "unchanged",
            f"{noun}: the candidate is the baseline, the same run with the same answers",
            estimate=whole.evidence.difference,
            limit=-settings.margin,
            facts=_facts(whole.evidence, settings.margin),
        )
        return
    yield from family([whole], settings.margin, settings, must_pass=True)
    if few is not None:
        return
    if settings.class_margin is not None and measured.task.rules.HAS_CLASSES:
        gold = pairs.items["gold_a"].to_numpy(object)
        parts = [
            Part(f"recall of {name}", _evidence(pairs.where(gold == name), settings)) for name in sorted(set(gold))
        ]
        yield from family(parts, settings.class_margin, settings, must_pass=False)
    parts = [
        Part(f"slice {name}", _evidence(pairs.where(pairs.items.index.isin(list(ids))), settings))
        for name, ids in measured.slices.items()
    ]
    large = [part for part in parts if part.evidence.weights.n >= settings.least_slice]
    yield from family(large, settings.slice_margin, settings, must_pass=False)


def family(parts: Sequence[Part], margin: float, settings: GateSettings, *, must_pass: bool) -> Iterator[Check]:
    """The checks of parts that are looked at together, each corrected for all of them."""
    close = multiplicity.holm([part.evidence.p_of_no_worse(margin) for part in parts])
    worse = multiplicity.holm([part.evidence.p_of_worse(margin) for part in parts])
    for part, p_close, p_worse in zip(parts, close, worse, strict=True):
        verdict: Verdict = "inconclusive"
        if p_close is not None and p_close <= settings.alpha:
            verdict = "pass"
        elif p_worse is not None and p_worse <= settings.alpha:
            verdict = "fail"
        yield _check(part, margin, verdict, settings, len(parts), must_pass=must_pass)


def _check(
    part: Part, margin: float, verdict: Verdict, settings: GateSettings, family_size: int, *, must_pass: bool
) -> Check:
    found, difference = part.evidence, part.evidence.difference
    code, needed = {"pass": "shown_no_worse", "fail": "shown_worse"}.get(verdict, ""), None
    if verdict == "inconclusive":
        code, needed = _open(found, margin, settings, family_size)
    said = {
        "shown_no_worse": f"shown to be less than {formatting.share(margin)} worse",
        "shown_worse": f"shown to be more than {formatting.share(margin)} worse",
        "too_few_items": f"{formatting.plural(round(found.weights.n), 'item')} cannot tell",
        "near_the_limit": f"near the margin of {formatting.share(margin)}",
    }[code]
    more = f"; about {needed:,} items would" if needed else ""
    return Check(
        part.name,
        verdict,
        code,
        f"{part.name}: {formatting.with_interval(difference)}, {said}{more}",
        must_pass=must_pass,
        estimate=difference,
        limit=-margin,
        needed_n=needed,
        facts=_facts(found, margin) | {"compared_together": family_size},
    )


def _open(found: Evidence, margin: float, settings: GateSettings, family_size: int) -> tuple[str, int | None]:
    """Why it is open, and how many items would settle it.

    Too few when a candidate as good as the baseline would need more to pass; past that, what was
    seen lies near the margin, and it is the difference seen that says how many.
    """
    alpha = settings.alpha / family_size
    for_equals = found.needed_n(margin, alpha, settings.power)
    if for_equals is None or for_equals > found.weights.n:
        return "too_few_items", for_equals
    needed = found.needed_n(margin, alpha, settings.power, found.difference.value or 0.0)
    return "near_the_limit", needed if needed is not None and needed > found.weights.n else None


def _evidence(pairs: Paired, settings: GateSettings) -> Evidence:
    return margins.evidence(pairs.differences, pairs.codes, confidence=settings.confidence, strata=pairs.strata)


def _facts(found: Evidence, margin: float) -> dict[str, JSON]:
    weights = found.weights
    return {
        "margin": margin,
        "n": round(weights.n),
        "b": round(weights.only_a, 6),  # only the candidate was right
        "c": round(weights.only_b, 6),  # only the baseline was right
        "clusters": found.clusters,
        "design_effect": round(found.design, 6),
        "p_no_worse": found.p_of_no_worse(margin),
        "p_worse": found.p_of_worse(margin),
    }

"""The reasons of a verdict, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import numbers
from harness.decision.candidates import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.comparison import Comparison
    from harness.constraints import Constraints
    from harness.decision.candidates import Candidate
    from harness.decision.rivals import Rival


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the recommended arm and the most accurate one, then its rivals.

    `worse` holds the comparisons with arms that might be better by more than the margin, `maybe` those
    of cheaper arms that might be good enough, `against` those with every arm that is left.
    """

    chosen: Candidate
    best: Candidate
    worse: Sequence[Rival]
    maybe: Sequence[Rival]
    against: Sequence[Rival]


def reasons(found: Found, constraints: Constraints) -> list[str]:
    """Why the arm is recommended, what is certain, and what is open."""
    return [
        *_recommended(found.chosen, found.best, constraints),
        *_certain(found),
        *_open(found, numbers.share(constraints.margin, 2)),
    ]


def _recommended(chosen: Candidate, best: Candidate, constraints: Constraints) -> Iterator[str]:
    yield (
        f"{chosen.arm} is right on {numbers.with_interval(chosen.accuracy)} of {chosen.accuracy.n:,} items, costs "
        f"{numbers.dollars(chosen.usd_per_1000)} per 1,000 and answers within {numbers.duration(chosen.p95_s)} (p95)"
    )
    if chosen is best:
        yield "It is the most accurate of the arms that may be served"
    else:
        yield (
            f"It is shown to be no more than {numbers.share(constraints.margin, 2)} worse than {best.arm}, the most "
            f"accurate, and costs {numbers.dollars(chosen.monthly_usd)} instead of {numbers.dollars(best.monthly_usd)} "
            "a month"
        )


def _certain(found: Found) -> Iterator[str]:
    """The arms that are shown to be less accurate: a reader need not think of them again."""
    beaten = [each.comparison for each in found.against if (each.comparison.difference.low or 0.0) > 0]
    shown = [f"{one.b} (by {numbers.interval(one.difference)})" for one in beaten if is_shown(one)]
    if shown:
        yield f"Shown to be less accurate: {', '.join(shown)}"


def is_shown(one: Comparison) -> bool:
    """Whether the difference survives the correction for the number of arms."""
    return one.adjusted_p is not None and one.adjusted_p <= 2 * ALPHA


def _open(found: Found, margin: str) -> Iterator[str]:
    for limit in found.chosen.limits:
        if limit.state == "unsure":
            yield f"Open: whether it keeps {limit.name} {limit.asked} (found {limit.found})"
    for one in found.worse:
        yield (
            f"Open: {one.comparison.b} might be better by more than {margin}: its lead is "
            f"{_ahead(one.comparison)}{_settled_by(one)}"
        )
    for one in found.maybe:
        yield (
            f"Open: {one.comparison.a} is cheaper and might be good enough: its lead over {one.comparison.b} is "
            f"{numbers.with_interval(one.comparison.difference)}{_settled_by(one)}"
        )


def broken(one: Candidate) -> str:
    """Why an arm is out: the constraints it is shown to break."""
    limits = [limit for limit in one.limits if limit.state == "broken"]
    said = "; ".join(f"{limit.name} {limit.asked}, found {limit.found}" for limit in limits)
    return f"{one.arm} is out: {said or 'it has no accuracy'}"


def _ahead(one: Comparison) -> str:
    found = one.difference
    if found.value is None or found.low is None or found.high is None:
        return numbers.UNKNOWN
    return f"{numbers.share(-found.value)} ({numbers.share(-found.high)} to {numbers.share(-found.low)})"


def _settled_by(rival: Rival) -> str:
    if rival.more_items is None:
        return "; no number of items that anybody labels would settle it as things stand"
    return f"; about {rival.more_items:,} more labelled items would probably settle it"

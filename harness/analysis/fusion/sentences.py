"""A tried fusion in found.words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting

if TYPE_CHECKING:
    from harness.analysis.fusion.study import Standing, Study, Tested

IDLE = 0.01


def sentences(found: Study) -> list[str]:
    """A tried fusion in words: against its members, against chance, and what no fusion could pass."""
    tested, oracle, line = found.tested, found.oracle, found.random_line
    assert tested is not None
    said = [
        f"against {one.b} {formatting.with_interval(one.difference)}, p {formatting.p_value(one.adjusted_p)} "
        f"(Holm, {len(tested.against)} comparisons)"
        for one in tested.against
    ]
    if line is not None:
        said.append(
            f"drawing the arm by lot, as often, gets {formatting.share(line.accuracy)}; choosing by score is "
            f"{formatting.with_interval(line.lead)} better" + ("" if line.is_beaten else ": not shown to beat chance")
        )
    said += [f"{one.name.replace('_', ' ')} is {formatting.with_interval(one)}" for one in tested.limited]
    which = "an arm that is right" if found.words.counts_right else "the arm with the best answer"
    said.append(
        f"the oracle, which always asks {which}, gets {formatting.with_interval(oracle.accuracy)}: "
        f"{formatting.share(oracle.worth)} over the best member is all that any fusion could add"
    )
    no_worse = "no less accurate" if found.words.counts_right else f"not {found.words.worse}"
    said += [f"{one.arm} alone costs no more and is {no_worse} here" for one in _better_alone(tested)]
    if oracle.worth < IDLE:
        said.append("that is less than a point: a fusion of these arms is idle")
    if tested.failed:
        said.append(f"{formatting.plural(tested.failed, 'item')} on which an arm failed are not scored")
    return said


def _better_alone(tested: Tested) -> list[Standing]:
    """The members that are as good as the fusion in both accuracy and cost; an unknown price is none."""
    cost, accuracy = tested.cost, tested.estimate.value
    return [
        one
        for one in tested.members
        if cost is not None
        and accuracy is not None
        and (one.cost_per_1000_usd is not None and one.cost_per_1000_usd <= cost)
        and (one.accuracy.value or 0.0) >= accuracy
    ]

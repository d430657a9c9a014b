"""What would change a verdict: the margin, volume, prices, labels, machines, a better prompt, a crossover."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.analysis.curves import crossed_between
from harness.analysis.decision import ownership
from harness.ground import formatting
from harness.stats.breakeven import break_even, gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.analysis.curves import Curve
    from harness.analysis.decision.candidates import Candidate
    from harness.analysis.decision.ownership import Bill
    from harness.analysis.wording import Wording
    from harness.ground.constraints import Constraints
    from harness.stats.breakeven import BreakEven
    from harness.types import Estimate


@dataclass(frozen=True, slots=True)
class Case:
    """A verdict with what it was reached from.

    `finalists` are the other arms that are, or may be, close enough to the best one, so that only their bills
    decide. `margin` is the one with which the arm would be shown to be close, where it is not. `machine_usd` is what
    a machine costs for a month, `said` the words for what is chosen by. `curves` are the stored
    learning curves.
    """

    chosen: Candidate
    candidates: Sequence[Candidate]
    finalists: Sequence[Candidate]
    constraints: Constraints
    machine_usd: float
    said: Wording
    margin: float | None = None
    curves: Sequence[Curve] = ()


def changes(case: Case) -> list[str]:
    """Each a condition under which another arm would be recommended, or the verdict decided."""
    return [
        *_margin(case),
        *_better_prompt(case),
        *_volumes(case),
        *_own_machine(case),
        *_prices(case),
        *_labels(case),
        *_crossovers(case),
    ]


def _margin(case: Case) -> Iterator[str]:
    if case.margin is not None:
        yield f"a margin above {formatting.share(case.margin)} instead of {formatting.share(case.constraints.margin)}"


def _better_prompt(case: Case) -> Iterator[str]:
    chosen = case.chosen
    prompts = [one for one in case.candidates if one.model and one.arm != chosen.arm and one.merit is not None]
    if not prompts or chosen.model or chosen.merit is None:
        return
    nearest = max(prompts, key=_merit)
    missing = chosen.merit - _merit(nearest) - case.constraints.margin
    if missing > 0:
        more = formatting.share(missing)
        yield (
            f"a prompt that is right on {more} more of the items than {nearest.arm}"
            if case.said.counts_right
            else f"a prompt whose {case.said.noun} is {more} better than that of {nearest.arm}"
        )


def _volumes(case: Case) -> Iterator[str]:
    """Where the bills of the chosen arm and of another finalist cross."""
    mine = case.chosen.bill
    for other in case.finalists:
        if mine is None or other.bill is None or not _is_other_kind(mine, other.bill, case.constraints):
            continue
        crossing = break_even(mine.fixed - other.bill.fixed, gap(mine.per_item, other.bill.per_item))
        if crossing.volume.value is not None:
            side = "below" if mine.fixed > other.bill.fixed else "above"
            yield f"a volume {side} {_items(crossing)} a month: then {other.arm} costs less"


def _is_other_kind(mine: Bill, other: Bill, constraints: Constraints) -> bool:
    """Whether the bills differ by what matters in both their fixed and their running part."""
    least = constraints.usd_that_matters
    return abs(mine.fixed - other.fixed) >= least and abs(mine.serving - other.serving) >= least


def _own_machine(case: Case) -> Iterator[str]:
    """A classifier is cheap while its machine is busy with other work; alone, it pays for every hour."""
    mine = case.chosen.bill
    if mine is None or case.constraints.hosting == "own" or not _is_here(case.chosen):
        return
    for other in case.finalists:
        if other.bill is None or _is_here(other) or not other.bill.per_item.value:
            continue
        crossing = break_even(
            mine.fixed + case.machine_usd - other.bill.fixed, gap(_nothing(mine), other.bill.per_item)
        )
        if crossing.volume.value is not None:
            yield (
                f"a machine that serves nothing but {case.chosen.arm} ({formatting.dollars(case.machine_usd)} a "
                "month): "
                f"then {other.arm} costs less below {_items(crossing)} a month"
            )


def _prices(case: Case) -> Iterator[str]:
    """How far a dearer finalist's price would have to fall."""
    mine, volume = case.chosen.bill, case.constraints.monthly_volume
    for other in case.finalists:
        if mine is None or other.bill is None or _is_here(other) or not other.bill.per_item.value:
            continue
        price = (mine.total - other.bill.fixed) / volume
        if 0 < price < other.bill.per_item.value and _merit(other) >= _merit(case.chosen):
            yield (
                f"{other.arm} at less than {formatting.dollars(1000 * price)} per 1,000 items instead of "
                f"{formatting.dollars(1000 * other.bill.per_item.value)}"
            )


def _labels(case: Case) -> Iterator[str]:
    """From which price per label on an arm that needs none costs less."""
    chosen, constraints = case.chosen, case.constraints
    without = [
        one for one in case.candidates if not one.n_train and one.monthly_usd is not None and one.state != "broken"
    ]
    if not chosen.n_train or chosen.bill is None or not without:
        return
    rival = max(without, key=_merit)
    labels = chosen.n_train + constraints.retrainings * constraints.labels_per_retraining
    price = ((rival.monthly_usd or 0.0) - chosen.bill.total + chosen.bill.labels) * constraints.months / labels
    if price > constraints.usd_per_label:
        loss = formatting.share(_merit(chosen) - _merit(rival))
        yield (
            f"labels dearer than {formatting.dollars(price)} each: then {rival.arm}, which needs none, costs less over "
            f"{constraints.months} months, at {loss} {'lower' if case.said.counts_right else 'worse'} {case.said.noun}"
        )


def _crossovers(case: Case) -> Iterator[str]:
    """With how many labels a classifier and the best prompt are equally accurate, where a curve tells."""
    for curve in case.curves:
        crossing = curve.crossover
        if crossing is None or curve.rival is None or case.chosen.arm not in (curve.arm, curve.rival):
            continue
        if crossing.labels is None:
            if case.chosen.arm == curve.rival:
                tried = f"the {curve.points[-1].n_labels:,} labels that were tried"
                yield f"more than {tried} for {curve.arm}, which does not meet {curve.rival} with those"
            continue
        labels = f"{crossing.labels:,.0f} labels ({crossed_between(crossing)})"
        if case.chosen.arm == curve.arm:
            yield f"fewer than {labels} to train on: then {curve.rival} is {_more(case)}"
        else:
            yield f"more than {labels} to train {curve.arm} on: then it is {_more(case)}"


def _more(case: Case) -> str:
    return "the more accurate" if case.said.counts_right else "the better one"


def _merit(one: Candidate) -> float:
    return one.merit or 0.0


def _is_here(one: Candidate) -> bool:
    return ownership.is_here(one.arm, one.model)


def _nothing(mine: Bill) -> Estimate:
    """An item's running cost on a machine that is paid anyhow."""
    return replace(mine.per_item, value=0.0, low=0.0, high=0.0)


def _items(crossing: BreakEven) -> str:
    found = crossing.volume
    if found.high is None:
        return f"{found.value:,.0f} items (from {found.low:,.0f})" if found.low else f"{found.value:,.0f} items"
    return f"{found.value:,.0f} items ({found.low:,.0f} to {found.high:,.0f})"

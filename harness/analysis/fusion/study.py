"""A fusion tried out: chosen on one split, reported once on another, with its bounds beside it.

The picking of the best of many thresholds is what makes it look good on the items it was picked on.
So the items that are reported are never the ones that chose: they are another split, or, where a
dataset has none to spare, each tenth of the items is answered with what the other nine chose.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis import comparison, measures, wording
from harness.analysis.fusion.choosing import choose
from harness.analysis.fusion.members import NEVER, cluster_names, folds
from harness.analysis.fusion.sweep import P95, Walk, quantile, sweep, walk
from harness.analysis.fusion.votes import counted, tally
from harness.analysis.wording import Wording
from harness.ground import formatting
from harness.stats import clusters, margins, routing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from harness.analysis.comparison import Comparison
    from harness.analysis.fusion.members import Member, Members
    from harness.analysis.fusion.sweep import Sweep
    from harness.analysis.fusion.votes import Rule
    from harness.ground.constraints import Constraints
    from harness.types import Estimate

    Way = Callable[[Members, Members], Members]


@dataclass(frozen=True, slots=True)
class Setting:
    """The thresholds of a cascade or a router (None: nothing stays at this stage) and what they came to.

    `asked` is the share of items that each stage is asked for. `cost_per_1000_usd` is None where a price
    is unknown.
    """

    thresholds: tuple[float | None, ...]
    accuracy: float
    asked: tuple[float, ...]
    cost_per_1000_usd: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """An arm on the items that are reported: accuracy, and $ per 1,000."""

    arm: str
    accuracy: Estimate
    cost_per_1000_usd: float | None


@dataclass(frozen=True, slots=True)
class Tested:
    """The fusion on the items that did not choose it.

    `cost` is $ per 1,000, `answered_by` the share of items on which each member's answer stands (None for a vote).
    `against` compares the fusion (a) with each member, p-values corrected for their number. `limited` are the metrics
    that limits are set on, of the fusion. `failed` items had an outage in some member and are not scored. `members`
    are the arms alone, on the same items.
    """

    estimate: Estimate
    cost: float | None
    p95_s: float | None
    answered_by: tuple[float, ...] | None
    failed: int
    members: tuple[Standing, ...]
    against: tuple[Comparison, ...]
    limited: tuple[Estimate, ...] = ()


@dataclass(frozen=True, slots=True)
class Oracle:
    """What no fusion of these members can pass: some member is right, and that one is asked.

    `worth` is its lead over the best member. Of two members: the share of dear calls at which the
    oracle equals the dear one (None when the dear one is not better), and the most that is
    reachable at the share that was asked.
    """

    accuracy: Estimate
    worth: float
    share_for_dear: float | None = None
    at_share: float | None = None


@dataclass(frozen=True, slots=True)
class RandomLine:
    """What drawing the answering arm by lot gets, each as often as it answered here; `members` are its ends.

    `lead` is the fusion's accuracy minus that, `recovered` the share of the gap between the two
    members that the fusion closes (PGR), `mean_recovered` its mean over all shares (APGR).
    """

    accuracy: float
    lead: Estimate
    recovered: float | None
    mean_recovered: float | None
    members: tuple[Standing, ...]

    @property
    def is_beaten(self) -> bool:
        """Whether the fusion is shown to do better than chance: the whole interval of its lead is above 0."""
        return self.lead.low is not None and self.lead.low > 0


@dataclass(frozen=True)
class Study:
    """What came of trying a fusion. `settings` are those of the split it was chosen on, cheapest stage first.

    `chosen` is None when none keeps the limits, and then nothing is reported. `is_crossfitted`: the
    items chose in turns, and `chosen` is what all of them choose together.
    """

    arm: str
    settings: tuple[Setting, ...]
    chosen: Setting | None
    reason: str
    tested: Tested | None
    oracle: Oracle
    random_line: RandomLine | None
    is_crossfitted: bool
    is_thinned: bool = False
    unshared: int = 0
    words: Wording = wording.ACCURACY


def as_stored(_learnt_from: Members, shown: Members) -> Members:
    """A cascade's way: arms are as sure of the items as they have said."""
    return shown


def cascade(arm: str, chooser: Members, tested: Members, limits: Constraints, way: Way = as_stored) -> Study:
    """The cascade or router `arm` of the members, its thresholds chosen on `chooser` and reported on `tested`.

    When both are the same object, it is cross-fitted. `way` gives the members of its second argument
    as sure as the thresholds shall find them, having learnt from the first one alone.
    """
    swept = sweep(way(chooser, chooser))
    choice = choose(swept, limits)
    settings = tuple(_setting(swept, row) for row in range(len(swept))) if swept.members.n else ()
    chosen = None if choice.row is None else settings[choice.row]
    is_crossfitted = tested is chooser
    shown = way(chooser, tested)
    walked, reason = None, choice.reason
    if choice.row is not None:
        walked = _in_turns(tested, limits, way) if is_crossfitted else walk(shown, swept.thresholds[choice.row])
        reason = reason if walked is not None else "too few items to choose and to report on"
    return Study(
        arm,
        settings,
        chosen,
        reason,
        None if walked is None else _tested(arm, shown, walked, limits),
        _oracle(shown, walked),
        None if walked is None else _random_line(shown, walked),
        is_crossfitted,
        swept.is_thinned,
        tested.unshared,
        wording.of_headline(tested.task),
    )


def vote(rule: Rule, arm: str, chooser: Members, tested: Members) -> Study:
    """The vote `arm` of the members, its count made on `chooser` and reported on `tested`.

    When both are the same object, it is cross-fitted. A vote has no thresholds.
    """
    is_crossfitted = tested is chooser
    if is_crossfitted:
        walked = crossfitted(tested, lambda others, fold: tally(counted(rule, others), fold))
    else:
        walked = tally(counted(rule, chooser), tested)
    assert walked is not None  # a count can always be made
    found = replace(_tested(arm, tested, walked), answered_by=None)
    n = chooser.whole().n
    reason = f"counted as {formatting.plural(n, 'item')} of the choosing split say"
    return Study(
        arm,
        (),
        None,
        reason,
        found,
        _oracle(tested, None),
        None,
        is_crossfitted,
        unshared=tested.unshared,
        words=wording.of_headline(tested.task),
    )


def _setting(swept: Sweep, row: int) -> Setting:
    cost = float(swept.cost_usd[row])
    return Setting(
        tuple(None if threshold == NEVER else float(threshold) for threshold in swept.thresholds[row]),
        float(swept.accuracy[row]),
        tuple(float(share) for share in swept.asked[row]),
        None if np.isnan(cost) else 1000 * cost,
    )


def _in_turns(members: Members, limits: Constraints, way: Way) -> Walk | None:
    """Every fold walked with the thresholds that the others chose; None when some cannot choose."""

    def part(others: Members, fold: Members) -> Walk | None:
        swept = sweep(way(others, others))
        row = choose(swept, limits).row
        return None if row is None else walk(way(others, fold), swept.thresholds[row])

    return crossfitted(members, part)


def crossfitted(members: Members, part: Callable[[Members, Members], Walk | None]) -> Walk | None:
    """The walk of all items, each fold's by what `part` makes of the other folds and this one.

    Items of a group are in one fold.
    """
    fold_of = folds(members)
    whole: Walk | None = None
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        found = part(members.take(~mine), members.take(mine))
        if found is None:
            return None
        whole = whole or _empty(found, members.n)
        for field in fields(Walk):
            getattr(whole, field.name)[mine] = getattr(found, field.name)
    return whole


def _empty(like: Walk, n: int) -> Walk:
    return Walk(*(np.zeros(n, dtype=getattr(like, field.name).dtype) for field in fields(Walk)))


def _tested(arm: str, members: Members, walked: Walk, limits: Constraints | None = None) -> Tested:
    scored = members.is_whole & ~walked.failed
    rows = members.take(scored)
    credit = walked.credit[scored]
    mine = rows.answers(arm, walked.labels[scored], credit)
    cost = walked.cost_usd[scored]
    asked = measures.limits(limits, members.task) if limits is not None else []
    codes = _codes(rows)
    return Tested(
        margins.share(credit, codes),
        None if not len(cost) or np.isnan(cost).any() else 1000 * float(cost.mean()),
        quantile(walked.latency_s[scored], P95),
        tuple(float((walked.by[scored] == stage).mean()) for stage in range(len(members.arms)))
        if len(credit)
        else None,
        int(members.n - scored.sum()),
        tuple(_standing(member, codes) for member in rows.arms),
        tuple(comparison.against(mine, [rows.answers_of(member) for member in rows.arms])) if len(credit) else (),
        tuple(measure.estimate(mine.rows, codes) for measure, _ in asked),
    )


def _oracle(members: Members, walked: Walk | None) -> Oracle:
    whole = members.whole()
    credit = np.array([member.credit for member in whole.arms])
    most = credit.max(axis=0)
    estimate = margins.share(most, _codes(whole))
    worth = float(most.sum() - credit.sum(axis=1).max()) / max(whole.n, 1)
    if len(members.arms) != 2:
        return Oracle(estimate, worth)
    share = None if walked is None else float((walked.by[members.is_whole] == 1).mean())
    at_share = None if share is None else routing.oracle_at(credit[1], credit[0], share)
    return Oracle(estimate, worth, routing.share_for(credit[1], credit[0]), at_share)


def _random_line(members: Members, walked: Walk) -> RandomLine | None:
    scored = members.is_whole & ~walked.failed
    if not scored.any():
        return None
    rows = members.take(scored)
    by, credit = walked.by[scored], walked.credit[scored]
    shares = np.array([(by == stage).mean() for stage in range(len(rows.arms))])
    by_lot = shares @ np.array([member.credit for member in rows.arms])
    groups = _codes(rows)
    standings = tuple(_standing(member, groups) for member in rows.arms)
    accuracies = [standing.accuracy.value or 0.0 for standing in standings]
    is_pair = len(rows.arms) == 2
    return RandomLine(
        routing.random_accuracy(accuracies, shares),
        clusters.cluster_mean(credit - by_lot, groups, name="lead over chance"),
        routing.recovered(float(credit.mean()), *accuracies) if is_pair else None,
        _mean_recovered(rows) if is_pair else None,
        standings,
    )


def _mean_recovered(rows: Members) -> float | None:
    swept = sweep(rows)
    return routing.mean_recovered(swept.asked[:, 1], swept.accuracy)


def _codes(members: Members) -> NDArray[np.int64]:
    """A code per item: of its group, or its own."""
    return np.unique(cluster_names(members), return_inverse=True)[1].astype(np.int64)


def _standing(member: Member, codes: NDArray[np.int64]) -> Standing:
    cost = float(member.cost_usd.mean())
    estimate = margins.share(member.credit, codes)
    return Standing(member.arm, estimate, None if np.isnan(cost) else 1000 * cost)

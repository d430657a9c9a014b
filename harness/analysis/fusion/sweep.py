"""Every threshold of a cascade or a router that changes anything, from stored predictions.

A cascade keeps a stage's answer when its score reaches the stage's threshold; without an answer, or
with less, the next stage is asked, and the last one's answer always stands. All stages that were
asked are paid and waited for. A router goes through the same stages before it asks anybody: an item
is sent to the first arm for which enough is foreseen, and only that one, with the router's own
toll, is paid and waited for. An item on which an asked stage failed has no answer at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.fusion.members import NEVER, RoutingCost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.analysis.fusion.members import Flags, Member, Members, Numbers

MOST_POINTS = 200_000  # of three stages and more; two are always swept whole
P95 = 0.95


@dataclass(frozen=True, slots=True)
class Walk:
    """A cascade or a router at one setting, item by item.

    `by` is the stage whose answer stands (where the item failed, the stage that failed).
    """

    by: NDArray[np.int64]
    labels: NDArray[np.object_]
    credit: Numbers
    failed: Flags
    cost_usd: Numbers
    latency_s: Numbers


def walk(members: Members, thresholds: Sequence[float]) -> Walk:
    """What the fusion says about every item, what it costs and how long it takes."""
    n = members.n
    by, failed = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
    credit, labels = np.zeros(n), np.full(n, None, dtype=object)
    toll = members.toll or RoutingCost(0.0, 0.0)
    cost, latency = np.full(n, toll.cost_usd), np.full(n, toll.latency_s)
    going = np.ones(n, dtype=bool)
    for stage, (arm, threshold) in enumerate(zip(members.arms, (*thresholds, -NEVER), strict=True)):
        accepted = going & (arm.confidence >= threshold)
        asked = going if members.toll is None else accepted
        by[going] = stage
        cost[asked] += arm.cost_usd[asked]
        latency[asked] += arm.latency_s[asked]
        failed |= asked & arm.failed
        stays = accepted & ~arm.failed
        credit[stays], labels[stays] = arm.credit[stays], arm.labels[stays]
        going = going & ~accepted & ~failed
    return Walk(by, labels, credit, failed, cost, latency)


@dataclass(frozen=True)
class Sweep:
    """The fusion at every setting, over the items on which no stage failed; a setting per row.

    `asked` is the share of items that each stage is asked for. `cost_usd` is the mean per item, NaN where
    a price is unknown. `is_thinned`: there were too many settings, and of each stage's thresholds
    only every so many stand here.
    """

    members: Members
    thresholds: Numbers
    credit: Numbers
    asked: Numbers
    cost_usd: Numbers
    is_thinned: bool

    def __len__(self) -> int:
        return len(self.credit)

    @property
    def accuracy(self) -> Numbers:
        """The mean credit, by setting."""
        return np.asarray(self.credit / self.members.n)

    def p95_s(self, row: int) -> float | None:
        """The 95th percentile of the waits at a setting, over the items where it is known."""
        return quantile(walk(self.members, self.thresholds[row]).latency_s, P95)


def quantile(latency_s: Numbers, q: float) -> float | None:
    """A quantile of the known waits; None when none is known."""
    known = latency_s[~np.isnan(latency_s)]
    return float(np.quantile(known, q)) if len(known) else None


def sweep(members: Members, most_points: int = MOST_POINTS) -> Sweep:
    """The cascade or the router of all members, in their order, at every setting."""
    whole = members.whole()
    candidates = [_candidates(arm.confidence) for arm in whole.arms[:-1]]
    is_thinned = len(candidates) > 1 and bool(np.prod([len(one) for one in candidates]) > most_points)
    if is_thinned:
        most = int(most_points ** (1 / len(candidates)))
        candidates = [_thinned(one, most) for one in candidates]
    rows = _rows(whole, candidates, np.ones(whole.n, dtype=bool))
    n = max(whole.n, 1)
    unknown = np.array([np.isnan(arm.cost_usd).any() for arm in whole.arms])
    cost = np.where((rows.asked > 0)[:, unknown].any(axis=1), np.nan, rows.cost_usd / n)
    cost = cost + members.toll.cost_usd if members.toll else cost
    return Sweep(whole, rows.thresholds, rows.credit, rows.asked / n, cost, is_thinned)


def _candidates(confidence: Numbers) -> Numbers:
    """The thresholds that tell the items apart, none accepted first: each accepts one score more."""
    scores = np.unique(confidence[confidence > -NEVER])
    return np.concatenate([[NEVER], scores[::-1]])


def _thinned(candidates: Numbers, most: int) -> Numbers:
    keep = np.unique(np.linspace(0, len(candidates) - 1, max(most, 2)).round().astype(int))
    return np.asarray(candidates[keep])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Sums over the items that reach a stage, one row per setting of this stage and those after it."""

    thresholds: Numbers
    credit: Numbers
    asked: Numbers
    cost_usd: Numbers


def _rows(members: Members, candidates: Sequence[Numbers], reached: Flags) -> _Rows:
    stage = len(members.arms) - len(candidates) - 1
    arm = members.arms[stage]
    paid = float(np.nansum(arm.cost_usd[reached]))
    n = int(reached.sum())
    if not candidates:
        return _Rows(np.zeros((1, 0)), np.array([arm.credit[reached].sum()]), np.array([[float(n)]]), np.array([paid]))
    parts = (
        _last_two(members, candidates[0], reached)
        if len(candidates) == 1
        else _one_by_one(members, candidates, reached)
    )
    here, cost = np.full(len(parts.credit), float(n)), np.full(len(parts.credit), paid)
    if members.toll is not None:
        here, cost = _stays(arm, reached, parts.thresholds[:, 0])
    return _Rows(parts.thresholds, parts.credit, np.column_stack([here, parts.asked]), parts.cost_usd + cost)


def _stays(arm: Member, reached: Flags, thresholds: Numbers) -> tuple[Numbers, Numbers]:
    """How many items an arm is sent at each threshold, and what they cost together."""
    order = np.argsort(-arm.confidence[reached], kind="stable")
    stay = np.searchsorted(-arm.confidence[reached][order], -thresholds, side="right")
    return stay.astype(np.float64), _running(np.nan_to_num(arm.cost_usd[reached][order]))[stay]


def _one_by_one(members: Members, candidates: Sequence[Numbers], reached: Flags) -> _Rows:
    """Each threshold of this stage with every setting of the stages after it."""
    arm = members.arms[len(members.arms) - len(candidates) - 1]
    parts = []
    for threshold in candidates[0]:
        stays = reached & (arm.confidence >= threshold)
        rest = _rows(members, candidates[1:], reached & ~stays)
        first = np.full((len(rest.credit), 1), threshold)
        credit = rest.credit + arm.credit[stays].sum()
        parts.append(_Rows(np.hstack([first, rest.thresholds]), credit, rest.asked, rest.cost_usd))
    return _Rows(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Rows.__slots__))


def _last_two(members: Members, candidates: Numbers, reached: Flags) -> _Rows:
    """Every threshold of the last stage but one at once, by running sums in the order of its scores."""
    arm, last = members.arms[-2:]
    order = np.argsort(-arm.confidence[reached], kind="stable")
    confidence = arm.confidence[reached][order]
    stay = np.searchsorted(-confidence, -candidates, side="right")
    goes_on = len(confidence) - stay
    kept, rest = _running(arm.credit[reached][order]), _running(last.credit[reached][order])
    cost = _running(np.nan_to_num(last.cost_usd[reached][order]))
    credit = kept[stay] + rest[-1] - rest[stay]
    return _Rows(candidates[:, None], credit, goes_on[:, None].astype(float), cost[-1] - cost[stay])


def _running(values: NDArray[np.generic]) -> Numbers:
    return np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])

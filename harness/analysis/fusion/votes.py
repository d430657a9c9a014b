"""How the ballots of a vote are counted: each a label (None: no vote) and how sure its arm is.

A count is made on the items that choose it and used on others: the order in which ties are broken,
the weights, and what a stacked vote has learnt all come from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from harness.analysis.fusion.sweep import Walk
from harness.errors import ConfigError
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sklearn.linear_model import LogisticRegression

    from harness.analysis.fusion.members import Members

    Ballot = tuple[str | None, float]

Rule = Literal["vote", "vote-weighted", "vote-stacked"]
NEARLY = 0.005  # a member that was right on every item is still not certain


class Count(Protocol):
    """Ballots to a score per label, adding up to 1; nothing when nobody voted."""

    def scores(self, ballots: Sequence[Ballot]) -> Mapping[str, float]:
        """The scores of one item; among equal ones the first is meant."""
        ...


@dataclass(frozen=True, slots=True)
class Weighted:
    """Each member's vote counts its weight; `order` are the members' places, the most trusted first."""

    weights: tuple[float, ...]
    order: tuple[int, ...]

    def scores(self, ballots: Sequence[Ballot]) -> dict[str, float]:
        """The share of the weight behind each label."""
        behind: dict[str, float] = {}
        for place in self.order:
            label, _ = ballots[place]
            if label is not None:
                behind[label] = behind.get(label, 0.0) + self.weights[place]
        total = sum(behind.values())
        return {label: weight / total for label, weight in behind.items()} if total > 0 else {}


@dataclass(frozen=True)
class Stacked:
    """A classifier over the members' answers and how sure each was (Wolpert 1992)."""

    model: LogisticRegression
    labels: tuple[str, ...]

    def scores(self, ballots: Sequence[Ballot]) -> dict[str, float]:
        """The classifier's probabilities; nothing when no member has an answer."""
        if all(label is None for label, _ in ballots):
            return {}
        row = self.model.predict_proba(_features([ballots], self.labels))[0]
        return {str(label): float(p) for label, p in zip(self.model.classes_, row, strict=True)}


@dataclass(frozen=True)
class Combined:
    """Answers that are put together by their kind: label by label, field by field, the mean of numbers."""

    kind: str
    weights: tuple[float, ...]

    def scores(self, ballots: Sequence[Ballot]) -> dict[str, float]:
        """The one answer that comes of it, and how sure it is; nothing when nobody voted."""
        votes = zip(ballots, self.weights, strict=True)
        given = [(label, weight) for (label, _), weight in votes if label is not None and weight > 0]
        if not given:
            return {}
        answer, sure = plugins.load("kinds", self.kind).combined(given)
        return {answer: float(sure)}


def counted(rule: Rule, members: Members) -> Count:
    """The count of a rule, as these items make it.

    Ties go to the member that was right more often. A weighted vote weighs a member by the log
    odds of its accuracy against guessing among the labels (Nitzan and Paroush 1982), and one that is
    no better than guessing not at all.
    """
    whole = members.whole()
    accuracies = [arm.accuracy or 0.0 for arm in whole.arms]
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (a second to load; most need none)

    if hasattr(members.task.rules, "combined"):
        return _combined(rule, members.task.kind, accuracies)
    order = tuple(sorted(range(len(accuracies)), key=lambda place: -accuracies[place]))
    gold = whole.rows["gold"].to_numpy(object)
    if rule == "vote" or len(set(gold)) < 2:
        return Weighted((1.0,) * len(accuracies), order)
    if rule == "vote-weighted":
        others = max(len(set(gold)) - 1, 1)
        sure = [min(max(accuracy, NEARLY), 1 - NEARLY) for accuracy in accuracies]
        return Weighted(tuple(max(0.0, log(others * p / (1 - p))) for p in sure), order)
    labels = tuple(sorted({label for arm in whole.arms for label in arm.labels if label is not None}))
    ballots = [ballots_of(whole, i) for i in range(whole.n)]
    model = LogisticRegression(C=1.0, max_iter=500).fit(_features(ballots, labels), gold.astype(str))
    return Stacked(model, labels)


def _combined(rule: Rule, kind: str, credits: Sequence[float]) -> Combined:
    """Votes put together by the kind; a weighted one weighs a member by its mean credit."""
    if rule == "vote-stacked":
        raise ConfigError(f"a stacked vote learns which single label is right; kind {kind} takes vote or vote-weighted")
    return Combined(kind, tuple(credits) if rule == "vote-weighted" and any(credits) else (1.0,) * len(credits))


def ballots_of(members: Members, item: int) -> list[Ballot]:
    """Every member's ballot on an item."""
    return [(arm.labels[item], max(float(arm.confidence[item]), 0.0)) for arm in members.arms]


def tally(count: Count, members: Members) -> Walk:
    """The vote on every item: all members are asked at once, so costs add up and the slowest is waited for."""
    failed = np.logical_or.reduce([arm.failed for arm in members.arms])
    labels = np.full(members.n, None, dtype=object)
    for item in np.flatnonzero(~failed):
        scores = count.scores(ballots_of(members, int(item)))
        labels[item] = max(scores, key=lambda label: scores[label]) if scores else None
    credit = np.where(failed, 0.0, members.task.credits(members.rows["gold"], labels))
    cost = np.sum([arm.cost_usd for arm in members.arms], axis=0)
    latency = np.max([arm.latency_s for arm in members.arms], axis=0)
    return Walk(np.zeros(members.n, dtype=np.int64), labels, credit, failed, cost, latency)


def _features(ballots: Sequence[Sequence[Ballot]], labels: Sequence[str]) -> NDArray[np.float64]:
    """Per member and label: whether it was the answer, and how sure the member was of it."""
    places = {label: place for place, label in enumerate(labels)}
    width = 2 * len(labels)
    rows = np.zeros((len(ballots), width * len(ballots[0])))
    for i, item in enumerate(ballots):
        for member, (label, confidence) in enumerate(item):
            if label in places:
                rows[i, member * width + places[label]] = 1.0
                rows[i, member * width + len(labels) + places[label]] = confidence
    return rows

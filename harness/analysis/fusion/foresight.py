"""What can be known of an item before any arm is asked: how likely each arm is to be right about it.

A logistic regression per arm, on the items' embeddings, learns from which items the arm got right.
It never sees the items that are reported, and an item that chooses a threshold is foreseen by what
the other items taught.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.fusion.members import folds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sklearn.linear_model import LogisticRegression

    from harness.analysis.fusion.members import Members, Numbers, RoutingCost

    Vectors = NDArray[np.float32]

C = 1.0  # credit is noisy, and vectors have length 1: a tight model ranks items better than a loose one
FEWEST = 10


@dataclass(frozen=True)
class Foresight:
    """A model of every arm but the last, or a plain share where there was nothing to tell apart."""

    models: tuple[LogisticRegression | float, ...]

    def scores(self, vectors: Vectors) -> Numbers:
        """How likely each arm but the last is to be right: a row per item, a column per arm."""
        columns = [
            np.full(len(vectors), model) if isinstance(model, float) else model.predict_proba(vectors)[:, 1]
            for model in self.models
        ]
        return np.column_stack(columns).astype(np.float64)


def learnt(members: Members, vectors: Vectors) -> Foresight:
    """What the items teach; a row of `vectors` per item. An item on which an arm failed teaches nothing about it."""
    return Foresight(tuple(_model(vectors[~arm.failed], arm.credit[~arm.failed]) for arm in members.arms[:-1]))


def foreseen(vectors: Mapping[str, Vectors], toll: RoutingCost, learnt_from: Members, shown: Members) -> Members:
    """The members of `shown` under a router: each but the last as sure as `learnt_from` foresees it.

    `vectors` are by item id. When both are the same object, each tenth of the items is foreseen by
    the other nine.
    """
    scores = (
        _held_out(shown, rows(vectors, shown))
        if learnt_from is shown
        else learnt(learnt_from, rows(vectors, learnt_from)).scores(rows(vectors, shown))
    )
    sure = [replace(arm, confidence=column) for arm, column in zip(shown.arms[:-1], scores.T, strict=True)]
    return replace(shown, arms=(*sure, shown.arms[-1]), toll=toll)


def _held_out(members: Members, vectors: Vectors) -> Numbers:
    scores, fold_of = np.zeros((members.n, len(members.arms) - 1)), folds(members)
    for fold in np.unique(fold_of):
        mine = fold_of == fold
        scores[mine] = learnt(members.take(~mine), vectors[~mine]).scores(vectors[mine])
    return scores


def rows(vectors: Mapping[str, Vectors], members: Members) -> Vectors:
    """The vectors of the members' items, one row each."""
    return np.stack([vectors[item_id] for item_id in members.rows["example_id"]])


def _model(vectors: Vectors, credit: Numbers) -> LogisticRegression | float:
    """The model of one arm; below so many items, or when all are alike, its mean credit.

    An answer of credit c counts as right by c and as wrong by 1 - c.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (a second to load; most need none)

    if len(credit) < FEWEST or credit.min() == credit.max():
        return float((credit.sum() + 1) / (len(credit) + 2))
    model = LogisticRegression(C=C, max_iter=500)
    if np.isin(credit, (0.0, 1.0)).all():
        return model.fit(vectors, credit == 1.0)
    right = np.repeat([True, False], len(credit))
    return model.fit(np.vstack([vectors, vectors]), right, sample_weight=np.concatenate([credit, 1 - credit]))

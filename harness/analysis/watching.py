"""An arm in production against what it promised: five tests that may be looked at after every item. Pure.

Each test has a fifth of the rate of false alarms, so that all of them together ever give one with at most that
probability while nothing has changed. What is known of the arm are its answers to labelled items (the reference). They
may promise more than the arm holds, and then an alarm is only a matter of time: of the fifth of a test that rests on
such a promise one half is for that, the other for its bets.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.task import SINGLE
from harness.stats import intervals, label_shift, wealth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.types import Estimate

    Numbers = NDArray[np.float64]

NOTHING = "(no answer)"
TESTS = ("inputs", "answers", "scores", "accuracy", "accuracy_reweighted")
DIRECTIONS = 4


@dataclass(frozen=True)
class Observed:
    """Items in order: what was answered (`NOTHING` for none), how surely, the gold label, the vector.

    `scores` are NaN where there was none; `gold` is None where it is not known. No `vectors`: inputs are not watched.
    """

    answers: NDArray[np.object_]
    scores: Numbers
    gold: NDArray[np.object_]
    vectors: NDArray[np.float32] | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which items have a gold label."""
        return np.array([label is not None for label in self.gold], dtype=bool)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One test: after how many items it gave the alarm (None: it did not), and how strong the evidence got.

    `e_value` is the greatest wealth of its bets; it is compared with 1 / `alpha`. `n` are the items it has looked at.
    """

    test: str
    at: int | None
    e_value: float
    alpha: float
    n: int
    hypothesis: str


@dataclass(frozen=True, slots=True)
class Share:
    """A label: how often it occurred in the reference, is answered now, and is thought to occur now."""

    label: str
    reference: float
    answered: float
    estimated: float


@dataclass(frozen=True, slots=True)
class Next:
    """An item that would tell most if somebody labelled it: its place in the log, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of watching; `alarms` are all tests that could be made, those that are quiet among them."""

    n: int
    n_gold: int
    promised: float
    accuracy: Estimate
    expected: Estimate
    alarms: tuple[Alarm, ...]
    mix: tuple[Share, ...]
    label_next: tuple[Next, ...]

    @property
    def is_alarmed(self) -> bool:
        """Whether some test gave an alarm."""
        return any(one.at is not None for one in self.alarms)


def watched(
    reference: Observed, log: Observed, alpha: float, promised: float | None, rng: np.random.Generator
) -> Watched:
    """The log held against the reference; `promised` is an accuracy.

    By default it is the lower end of the reference's own interval, one-sided, at a tenth of `alpha`.
    """
    each = alpha / len(TESTS)
    z = NormalDist().inv_cdf(1 - each / 2)
    right = _right(reference)
    own_low, _ = intervals.wilson_limits(right.sum(), len(right), z) if len(right) else (0.0, 1.0)
    pinned = own_low if promised is None else promised
    labels = _labels(reference, log)
    known = log.known
    hits = _right(log)[known]
    tests = [
        *_of_inputs(reference, log, rng),
        _of_answers(reference, log, labels, rng),
        *_of_scores(reference, log, rng),
    ]
    tests.append(
        ("accuracy", wealth.mean_above(pinned - hits, pinned - 1 - 1e-9), f"accuracy is at least {pinned:.3f}")
    )
    tests.append(_reweighted(reference, log, labels, z))
    rates = {"accuracy": each / 2 if promised is None else each, "accuracy_reweighted": each / 2}
    confusion, answered = _confusion(reference, labels), _counts(log.answers, labels)
    shares = label_shift.mix(confusion, answered)
    n_by_label = confusion.sum(axis=0)
    return Watched(
        n=len(log.answers),
        n_gold=int(known.sum()),
        promised=float(pinned),
        accuracy=intervals.wilson(int(hits.sum()), len(hits)),
        expected=label_shift.expected_accuracy(confusion, answered, shares),
        alarms=tuple(_alarm(name, logs, rates.get(name, each), said) for name, logs, said in tests),
        mix=_shares(labels, n_by_label, answered, shares),
        label_next=_label_next(reference, log),
    )


def _alarm(name: str, logs: Numbers, alpha: float, hypothesis: str) -> Alarm:
    e_value = float(np.exp(min(logs.max(), 700.0))) if len(logs) else 1.0
    return Alarm(name, wealth.first_alarm(logs, alpha), e_value, alpha, len(logs), hypothesis)


Test = tuple[str, "Numbers", str]


def _of_inputs(reference: Observed, log: Observed, rng: np.random.Generator) -> list[Test]:
    """Whether the items are like the reference's, by scores that one half of it teaches and the other half has."""
    if reference.vectors is None or log.vectors is None or len(reference.vectors) < 4:
        return []
    order = rng.permutation(len(reference.vectors))
    taught, held = reference.vectors[order[::2]], reference.vectors[order[1::2]]
    centre = taught.mean(axis=0)
    _, _, directions = np.linalg.svd(taught - centre, full_matrices=False)

    def seen(vectors: NDArray[np.float32]) -> Numbers:
        nearest = np.concatenate(
            [(part @ taught.T).max(axis=1) for part in np.array_split(vectors, len(vectors) // 512 + 1)]
        )
        return np.column_stack([nearest, (vectors - centre) @ directions[:DIRECTIONS].T]).astype(np.float64)

    p_values = wealth.conformal_p(seen(held), seen(log.vectors), rng)
    return [("inputs", wealth.not_exchangeable(p_values), "the items are drawn as the reference's were")]


def _of_answers(reference: Observed, log: Observed, labels: list[str], rng: np.random.Generator) -> Test:
    def seen(answers: NDArray[np.object_]) -> Numbers:
        return np.asarray(answers[:, None] == np.array([*labels, NOTHING], dtype=object), dtype=np.float64)

    p_values = wealth.conformal_p(seen(reference.answers), seen(log.answers), rng)
    return "answers", wealth.not_exchangeable(p_values), "each label is answered as often as in the reference"


def _of_scores(reference: Observed, log: Observed, rng: np.random.Generator) -> list[Test]:
    before, now = (one.scores[~np.isnan(one.scores)] for one in (reference, log))
    if not len(before) or not len(now):
        return []
    p_values = wealth.conformal_p(before[:, None], now[:, None], rng)
    return [("scores", wealth.not_exchangeable(p_values), "the arm is as sure as in the reference")]


def _reweighted(reference: Observed, log: Observed, labels: list[str], z: float) -> Test:
    """Whether each label is answered right as often as promised, whatever the mix of labels is now.

    What is promised of an item is its label's recall, as it was seen (one drawn to the whole would promise too much of
    all rare labels that are worse than others), less what that is uncertain by under the mix so far. Nothing is
    promised of a label that the reference has not.
    """
    confusion = _confusion(reference, labels)
    n = confusion.sum(axis=0)
    right = np.diag(confusion[: len(labels)]).astype(np.float64)
    recall = right / np.maximum(n, 1)
    drawn, _ = label_shift.recalls(right, n)
    variances = np.where(n > 0, drawn * (1 - drawn) / np.maximum(n, 1), 0.0)
    places = {label: place for place, label in enumerate(labels)}
    known = log.known
    gold = np.array([places[label] for label in log.gold[known]], dtype=np.int64)
    seen = n / max(n.sum(), 1)
    before = np.cumsum(np.eye(len(labels))[gold], axis=0) - np.eye(len(labels))[gold] + 20 * seen
    shares = before / before.sum(axis=1, keepdims=True)
    reach = z * np.sqrt((shares**2) @ variances)
    differences = recall[gold] - reach - _right(log)[known]
    least = recall.min(initial=0.0) - reach - 1 - 1e-9
    said = "each label is answered right as often as promised"
    return "accuracy_reweighted", wealth.mean_above(differences, least), said


def _label_next(reference: Observed, log: Observed, most: int = 20) -> tuple[Next, ...]:
    """Items without a gold label: those that the arm was least sure of, and those least like the reference."""
    unknown = np.flatnonzero(~log.known)
    sure = np.where(np.isnan(log.scores), 1.0, log.scores)[unknown]
    chosen = {int(row): "the arm is least sure" for row in unknown[np.argsort(sure, kind="stable")[: most // 2]]}
    if log.vectors is not None and reference.vectors is not None and len(unknown):
        likeness = np.concatenate(
            [
                (part @ reference.vectors.T).max(axis=1)
                for part in np.array_split(log.vectors[unknown], len(unknown) // 512 + 1)
            ]
        )
        for row in unknown[np.argsort(likeness, kind="stable")]:
            if len(chosen) >= most:
                break
            chosen.setdefault(int(row), "least like what the arm was tested on")
    return tuple(Next(row, reason) for row, reason in chosen.items())


def _labels(reference: Observed, log: Observed) -> list[str]:
    told = [*reference.gold, *reference.answers, *log.answers, *log.gold]
    return sorted({str(label) for label in told if label is not None and label != NOTHING})


def _right(observed: Observed) -> Numbers:
    """Which answers are right: 1 or 0; 0 where that is not known."""
    return SINGLE.credits(observed.gold.tolist(), observed.answers.tolist())


def _counts(answers: NDArray[np.object_], labels: list[str]) -> Numbers:
    return np.array([(answers == label).sum() for label in (*labels, NOTHING)], dtype=np.float64)


def _confusion(reference: Observed, labels: list[str]) -> Numbers:
    """Answers by gold label; the last row are items without an answer."""
    return np.column_stack([_counts(reference.answers[reference.gold == one], labels) for one in labels])


def _shares(labels: list[str], reference: Numbers, answered: Numbers, now: Numbers) -> tuple[Share, ...]:
    before, told = reference / max(reference.sum(), 1), answered / max(answered.sum(), 1)
    return tuple(
        Share(label, float(before[place]), float(told[place]), float(now[place])) for place, label in enumerate(labels)
    )

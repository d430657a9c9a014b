"""What every arm is worth, from gold labels on few items and every arm's predictions on all. Pure.

What is guessed of the items without a label is how probable each candidate answer is, going by which arms give it
(`stats.consensus`, cross-fitted on the labelled ones); from that follows the credit an arm expects, item by item. The
guesses may be poor: `stats.ppi` corrects them by the labels and trusts them as far as they deserve.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from harness.ground.ids import unit_interval
from harness.stats import consensus, power, ppi
from harness.stats.consensus import Votes
from harness.stats.ppi import Guesses, Powered
from harness.stats.weighted import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Where = tuple[NDArray[np.int64], Sample, NDArray[np.bool_]]

FOLDS = 5
NONE = -1  # the code of an item without an answer
MOST_LABELS = 200  # of which recall is estimated one by one


@dataclass(frozen=True)
class Answered:
    """All arms' answers to the same items, as codes into `vocabulary`.

    `answers`, `scores` and `failed` are items x arms: the code (-1 for no answer), how sure the arm was (nan: it did
    not say), whether each call failed. `groups` are codes of items that belong together, None where each stands alone.
    """

    names: tuple[str, ...]
    items: tuple[str, ...]
    vocabulary: tuple[str, ...]
    answers: NDArray[np.int64]
    scores: Numbers
    failed: NDArray[np.bool_]
    groups: NDArray[np.int64] | None = None

    def word(self, item: int, arm: int) -> str | None:
        """An arm's answer to an item, by their places; None where it gave none."""
        code = int(self.answers[item, arm])
        return None if code == NONE else self.vocabulary[code]


@dataclass(frozen=True)
class Gold:
    """People's labels by item, and for each item how many others it stands for (1 where the draw was plain).

    `labels` is the closed set, empty where there is none; `n_answers` how many answers there could be. `credit` says
    what an answer (None: none) is worth against a gold label, in [0, 1]; `is_binary` that it is one or nothing.
    """

    of: Mapping[str, str]
    credit: Callable[[str, str | None], float]
    labels: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    is_binary: bool = True


@dataclass(frozen=True)
class ArmWorth:
    """One arm's estimates; `recall` by label, for the labels that gold holds."""

    name: str
    accuracy: Powered
    macro_f1: Powered | None
    recall: Mapping[str, Powered]


class Estimation:
    """The estimates of one set of gold labels over one set of answers, made as they are asked for."""

    def __init__(self, answered: Answered, gold: Gold) -> None:
        known = {item: row for row, item in enumerate(answered.items) if item in gold.of}
        self.answered = answered
        self.gold = gold
        self.rows = np.array(sorted(known.values()), dtype=np.int64)
        self.n_all = len(answered.items)
        words = (*answered.vocabulary, *sorted(set(gold.of.values()) - set(answered.vocabulary)))
        self._words = words
        self._code = {word: code for code, word in enumerate(words)}
        self.truth = np.array([self._code[gold.of[answered.items[row]]] for row in self.rows], dtype=np.int64)
        self._credits: dict[tuple[int, int], float] = {}

    @property
    def n(self) -> int:
        """How many items have a label."""
        return len(self.rows)

    def arms(self) -> list[ArmWorth]:
        """Every arm, the best first."""
        made = [self._arm(arm) for arm in range(len(self.answered.names))]
        return sorted(made, key=lambda one: (-(one.accuracy.estimate.value or 0.0), one.name))

    def leader(self) -> tuple[str, Powered] | None:
        """The arm with the highest accuracy and its estimate; None without labels."""
        names = self.answered.names
        made = [(name, self._accuracy(arm, *self._scored(arm))) for arm, name in enumerate(names)] if self.n else []
        return max(made, key=lambda one: (one[1].estimate.value or 0.0, one[0]), default=None)

    def difference(self, a: str, b: str, *, at_worst: bool = False) -> Powered:
        """The credit of `a` less that of `b`, item by item.

        Items on which a call of either failed are left out; `at_worst` they count as wrong of `a` and right of `b`,
        so that the difference is at least that whatever the replies would have been (Manski 1990).
        """
        first, second = self.answered.names.index(a), self.answered.names.index(b)
        lost = (0.0, 1.0) if at_worst else (None, None)
        rows, sample, everywhere = self._scored(*(() if at_worst else (first, second)))
        guessed = [self._guessed(arm, one)[everywhere] for arm, one in zip((first, second), lost, strict=True)]
        failed = self.answered.failed[everywhere][:, [first, second]].any(axis=1)
        differ = self.answered.answers[everywhere, first] != self.answered.answers[everywhere, second]
        far = np.where(failed, np.abs(guessed[0] - guessed[1]), np.where(differ, self._apart(guessed), 0.0))
        apart = Guesses(*self._both(far, rows, everywhere))
        guesses = Guesses(*self._both(guessed[0] - guessed[1], rows, everywhere))
        gold = self._credit(first, lost[0])[rows] - self._credit(second, lost[1])[rows]
        return ppi.difference(gold, guesses, apart, sample, name=f"{a} less {b}")

    def accuracy(self, arm: str, lost: float | None = None) -> Powered:
        """The mean credit of an arm; items whose call failed are left out, or have the credit `lost`."""
        place = self.answered.names.index(arm)
        return self._accuracy(place, *self._scored(*(() if lost is not None else (place,))), lost)

    def recall(self, arm: str, label: str, lost: float | None = None) -> Powered:
        """The share of a label's items that an arm gives it; items whose call failed are left out, or hit by `lost`."""
        place = self.answered.names.index(arm)
        return self._recall(place, label, self._scored(*(() if lost is not None else (place,))), lost)

    def further_labels(self, a: str, b: str) -> int | None:
        """How many labels more would show which of two is better, with probability .8, if they differ as it seems.

        0 where it is shown; None where nothing can be told, or where it would take more items than there are. Each
        further label is taken to be worth what those given are (Connor 1987 for plain ones).
        """
        found = self.difference(a, b)
        value, worth = found.estimate.value, found.evidence.worth
        if found.estimate.low is None or found.estimate.high is None or not value or not worth:
            return None
        if found.estimate.low > 0 or found.estimate.high < 0:
            return 0
        plain = power.needed_n(max(found.evidence.apart, abs(value)), abs(value))
        needed = ceil(plain * self.n / worth)
        return max(1, needed - self.n) if needed <= self.n_all else None

    def credits(self) -> Numbers:
        """What is known: labelled items x arms of credits, nan where the call failed."""
        arms = range(len(self.answered.names))
        return np.column_stack([self._credit(arm, float("nan")) for arm in arms])

    def _apart(self, guessed: Sequence[Numbers]) -> Numbers:
        """How far apart two different answers are: of right-or-wrong ones at most one is right."""
        return guessed[0] + guessed[1] if self.gold.is_binary else np.abs(guessed[0] - guessed[1])

    def _arm(self, arm: int) -> ArmWorth:
        rows, sample, everywhere = self._scored(arm)
        accuracy = self._accuracy(arm, rows, sample, everywhere)
        is_labels = bool(self.gold.labels) and self.gold.is_binary
        if not is_labels or not len(rows):
            return ArmWorth(self.answered.names[arm], accuracy, None, {})
        return ArmWorth(
            self.answered.names[arm],
            accuracy,
            self._macro_f1(arm, rows, everywhere, sample),
            {label: self._recall(arm, label, (rows, sample, everywhere)) for label in self._seen_labels},
        )

    def _accuracy(
        self,
        arm: int,
        rows: NDArray[np.int64],
        sample: Sample,
        everywhere: NDArray[np.bool_],
        lost: float | None = None,
    ) -> Powered:
        guesses = Guesses(*self._both(self._guessed(arm, lost)[everywhere], rows, everywhere))
        return ppi.share(self._credit(arm, lost)[rows], guesses, sample)

    @cached_property
    def _seen_labels(self) -> tuple[str, ...]:
        held = {self._words[code] for code in self.truth}
        return tuple(label for label in self.gold.labels if label in held)[:MOST_LABELS]

    @cached_property
    def _posterior(self) -> consensus.Posterior:
        answered = self.answered
        votes = Votes(answered.answers, answered.scores, max(len(self.gold.labels), len(self._words)))
        groups = np.arange(self.n_all) if answered.groups is None else answered.groups
        folds = [int(unit_interval("fold of the consensus", str(groups[row])) * FOLDS) for row in self.rows]
        return consensus.cross_fitted(votes, self.rows, self.truth, np.array(folds, dtype=np.int64))

    def _scored(self, *arms: int) -> tuple[NDArray[np.int64], Sample, NDArray[np.bool_]]:
        """The places among the labelled of those that no call failed on, as a sample; and all such items."""
        everywhere = np.asarray(~self.answered.failed[:, list(arms)].any(axis=1))
        rows = np.flatnonzero(everywhere[self.rows])
        items = [self.answered.items[row] for row in self.rows[rows]]
        weights = np.array([self.gold.weights.get(item, 1.0) for item in items])
        groups = None if self.answered.groups is None else self.answered.groups[self.rows[rows]]
        return rows, Sample.of(len(rows), weights, groups), everywhere

    def _both(self, of_all: Numbers, rows: NDArray[np.int64], everywhere: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
        """The guesses of the labelled items and of all, from those of the items that count."""
        place = np.cumsum(everywhere) - 1
        return of_all[place[self.rows[rows]]], of_all

    def _credit(self, arm: int, lost: float | None = None) -> Numbers:
        """What the arm's answers are worth on the labelled items; `lost` where its call failed, if that is given."""
        answers = self.answered.answers[self.rows, arm]
        worth = np.array(
            [self._worth(int(gold), int(answer)) for gold, answer in zip(self.truth, answers, strict=True)],
            dtype=np.float64,
        )
        return worth if lost is None else np.where(self.answered.failed[self.rows, arm], lost, worth)

    def _worth(self, gold: int, answer: int) -> float:
        if (gold, answer) not in self._credits:
            said = None if answer == NONE else self._words[answer]
            self._credits[gold, answer] = self.gold.credit(self._words[gold], said)
        return self._credits[gold, answer]

    def _guessed(self, arm: int, lost: float | None = None) -> Numbers:
        """The credit that the arm's answers to all items may expect; `lost` where its call failed, if given."""
        expected = self._expected(arm)
        return expected if lost is None else np.where(self.answered.failed[:, arm], lost, expected)

    def _expected(self, arm: int) -> Numbers:
        answers, posterior = self.answered.answers[:, arm], self._posterior
        if self.gold.is_binary:
            return posterior.of(answers)
        expected = np.zeros(self.n_all)
        for column in range(posterior.candidates.shape[1]):
            candidates = posterior.candidates[:, column]
            held = candidates >= 0
            worth = [self._worth(int(g), int(a)) for g, a in zip(candidates[held], answers[held], strict=True)]
            expected[held] += posterior.probability[held, column] * np.array(worth)
        return expected

    def _of_label(self, label: str) -> Numbers:
        return self._posterior.of(np.full(self.n_all, self._code.get(label, NONE - 1)))

    def _recall(self, arm: int, label: str, where: Where, lost: float | None = None) -> Powered:
        rows, sample, everywhere = where
        code = self._code.get(label, NONE - 1)
        held = (self.truth[rows] == code).astype(np.float64)
        said = (self.answered.answers[:, arm] == code).astype(np.float64)
        if lost is not None:
            said = np.where(self.answered.failed[:, arm], lost, said)
        hits = held * said[self.rows[rows]]
        of_label = self._of_label(label)[everywhere]
        hit = of_label * said[everywhere]
        guesses = (Guesses(*self._both(hit, rows, everywhere)), Guesses(*self._both(of_label, rows, everywhere)))
        return ppi.recall(hits, held, guesses, sample, name=f"recall of {label}")

    def _macro_f1(self, arm: int, rows: NDArray[np.int64], everywhere: NDArray[np.bool_], sample: Sample) -> Powered:
        place = np.full(len(self._words) + 1, NONE)
        for number, label in enumerate(self.gold.labels):
            if label in self._code:
                place[self._code[label]] = number
        answers = place[self.answered.answers[everywhere, arm]]
        of_label = np.column_stack([self._of_label(label)[everywhere] for label in self.gold.labels])
        _, influence = ppi.macro_influence(of_label, answers, np.full(len(answers), 1 / max(1, len(answers))))
        gold, given = place[self.truth[rows]], place[self.answered.answers[self.rows[rows], arm]]
        return ppi.macro_f1(
            gold, given, Guesses(*self._both(influence, rows, everywhere)), sample, len(self.gold.labels)
        )

"""What every arm is worth, from gold labels on few items and every arm's predictions on all. Pure.

What is guessed of the items without a label is how probable each candidate answer is, going by which arms give it
(`stats.consensus`, cross-fitted on the labelled ones); from that follows the credit an arm expects, item by item. The
guesses may be poor: `stats.ppi` corrects them by the labels and trusts them as far as they deserve.

As on full labels, what an item is worth to an arm that was asked several times is the mean over its repeats and fits
that did not fail, and how far its fits lie apart is part of every interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, inf
from typing import TYPE_CHECKING

import numpy as np

from harness.ground.ids import unit_interval
from harness.stats import consensus, power, ppi
from harness.stats.consensus import Votes
from harness.stats.powered import ONE_FIT, Guesses, OfFits, Powered, needed
from harness.stats.weighted import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Where = tuple[NDArray[np.int64], Sample, NDArray[np.bool_]]
    Columns = tuple[int, ...]
    Fits = tuple[Columns, ...]

FOLDS = 5
NONE = -1  # the code of an item without an answer
MOST_LABELS = 200  # of which recall is estimated one by one


@dataclass(frozen=True)
class Answered:
    """All arms' answers to the same items, as codes into `vocabulary`.

    `answers`, `scores` and `failed` are items x runs: the code (-1 for no answer), how sure the arm was (nan: it did
    not say), whether the call failed or the item was not asked. `runs` says which columns are an arm's, fit by fit;
    empty where each arm has one run. `groups` are codes of items that belong together, None where each stands alone.
    """

    names: tuple[str, ...]
    items: tuple[str, ...]
    vocabulary: tuple[str, ...]
    answers: NDArray[np.int64]
    scores: Numbers
    failed: NDArray[np.bool_]
    groups: NDArray[np.int64] | None = None
    runs: tuple[Fits, ...] = ()

    def fits(self, arm: int) -> Fits:
        """The columns of an arm's runs, fit by fit."""
        return self.runs[arm] if self.runs else ((arm,),)

    def columns(self, arm: int) -> Columns:
        """The columns of all runs of an arm, the first run's first."""
        return tuple(column for fit in self.fits(arm) for column in fit)

    @cached_property
    def lost(self) -> NDArray[np.bool_]:
        """Items x arms: whether every call of the arm failed there."""
        return np.column_stack([self.failed[:, self.columns(arm)].all(axis=1) for arm in range(len(self.names))])

    @property
    def arm_of(self) -> NDArray[np.int64] | None:
        """The arm of each column; None where each arm has one run."""
        if not self.runs:
            return None
        found = np.zeros(self.answers.shape[1], dtype=np.int64)
        for arm in range(len(self.names)):
            found[list(self.columns(arm))] = arm
        return found

    def word(self, item: int, arm: int) -> str | None:
        """The answer of an arm's first run to an item, by their places; None where it gave none."""
        code = int(self.answers[item, self.columns(arm)[0]])
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
        self._credit_by_column: dict[int, Numbers] = {}
        self._expected_by_column: dict[int, Numbers] = {}
        self._spread_by_arm: dict[int, OfFits] = {}

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
        made = [(name, self.accuracy(name)) for name in names] if self.n else []
        return max(made, key=lambda one: (one[1].estimate.value or 0.0, one[0]), default=None)

    def difference(self, a: str, b: str, *, at_worst: bool = False) -> Powered:
        """The credit of `a` less that of `b`, item by item.

        Items on which all calls of either failed are left out; `at_worst` they count as wrong of `a` and right of `b`,
        so that the difference is at least that whatever the replies would have been (Manski 1990).
        """
        first, second = self.answered.names.index(a), self.answered.names.index(b)
        both, lost = [self.answered.columns(arm) for arm in (first, second)], (0.0, 1.0) if at_worst else (None, None)
        rows, sample, everywhere = self._scored(*([] if at_worst else both))
        guessed = [self._guessed(of, one)[everywhere] for of, one in zip(both, lost, strict=True)]
        failed = self.answered.lost[everywhere][:, [first, second]].any(axis=1)
        far = np.where(failed, np.abs(guessed[0] - guessed[1]), self._apart(*both)[everywhere])
        apart = Guesses(*self._both(far, rows, everywhere))
        guesses = Guesses(*self._both(guessed[0] - guessed[1], rows, everywhere))
        gold = self._credit(both[0], lost[0])[rows] - self._credit(both[1], lost[1])[rows]
        fits = (
            ONE_FIT if first == second else self._of_fits(first, self._accuracy) + self._of_fits(second, self._accuracy)
        )
        return ppi.difference(gold, guesses, apart, sample, name=f"{a} less {b}", fits=fits)

    def accuracy(self, arm: str, lost: float | None = None) -> Powered:
        """The mean credit of an arm; items whose calls all failed are left out, or have the credit `lost`."""
        place = self.answered.names.index(arm)
        return self._with_fits(place, lambda columns, fits: self._accuracy(columns, fits, lost))

    def recall(self, arm: str, label: str, lost: float | None = None) -> Powered:
        """The share of a label's items that an arm gives it; where all calls failed left out, or hit by `lost`."""
        place = self.answered.names.index(arm)
        return self._with_fits(place, lambda columns, fits: self._recall(columns, fits, label, lost))

    def further_labels(self, a: str, b: str) -> int | None:
        """How many labels more would show which of two is better, with probability .8, if they differ as it seems.

        0 where it is shown; None where nothing can be told, or where it would take more items than there are. What
        labels are worth is `powered.growth`'s, how many plain ones it takes Connor's (1987).
        """
        found = self.difference(a, b)
        value, evidence = found.estimate.value, found.evidence
        if found.estimate.low is None or found.estimate.high is None or not value or not evidence.worth:
            return None
        if found.estimate.low > 0 or found.estimate.high < 0:
            return 0
        plain = power.needed_n(max(evidence.apart, abs(value)), abs(value))
        # What the fits add to the variance stays, however many labels there are.
        left = 1 / plain - (1 / evidence.worth - 1 / evidence.of_items)
        n = needed(evidence.of_items, self.n, self.n_all, 1 / left) if left > 0 else inf
        return max(1, ceil(n) - self.n) if n <= self.n_all else None

    def credits(self) -> Numbers:
        """What is known: labelled items x arms of mean credits, nan where every call failed."""
        arms = range(len(self.answered.names))
        return np.column_stack([self._credit(self.answered.columns(arm), float("nan")) for arm in arms])

    def _apart(self, first: Columns, second: Columns) -> Numbers:
        """How far apart the credits of two arms are on average over what the gold answer may be, item by item.

        Of answers that are right or wrong at most one is right, so that what is no candidate sets none apart.
        """
        guessed = [self._guessed(of) for of in (first, second)]
        if len(first) + len(second) == 2:
            differ = self.answered.answers[:, first[0]] != self.answered.answers[:, second[0]]
            far = guessed[0] + guessed[1] if self.gold.is_binary else np.abs(guessed[0] - guessed[1])
            return np.where(differ, far, 0.0)
        if not self.gold.is_binary:
            return np.abs(guessed[0] - guessed[1])
        far = np.zeros(self.n_all)
        for place in range(self._posterior.candidates.shape[1]):
            candidate = self._posterior.candidates[:, place]
            one, other = (self._said(of, candidate) for of in (first, second))
            far += self._posterior.probability[:, place] * np.where(candidate >= 0, np.abs(one - other), 0.0)
        return far

    def _said(self, columns: Columns, codes: NDArray[np.int64] | int) -> Numbers:
        """How often an arm gave each item the answer of that code, of the calls that did not fail."""
        wanted = codes if isinstance(codes, int) else codes[:, None]
        return self._mean_of(columns, (self.answered.answers[:, columns] == wanted).astype(np.float64))

    def _mean_of(self, columns: Columns, values: Numbers, rows: NDArray[np.int64] | slice = slice(None)) -> Numbers:
        """The mean of values, a column each, over the calls that did not fail; 0 where all did."""
        if len(columns) == 1:
            return values[:, 0]
        replied = ~self.answered.failed[:, columns][rows]
        return np.asarray((values * replied).sum(axis=1) / np.maximum(replied.sum(axis=1), 1))

    def _with_fits(self, arm: int, made: Callable[[Columns, OfFits], Powered]) -> Powered:
        """What is said of an arm by all its runs, with the spread of its fits."""
        return made(self.answered.columns(arm), self._of_fits(arm, made))

    def _spread(self, arm: int) -> OfFits:
        if arm not in self._spread_by_arm:
            self._spread_by_arm[arm] = self._of_fits(arm, self._accuracy)
        return self._spread_by_arm[arm]

    def _of_fits(self, arm: int, made: Callable[[Columns, OfFits], Powered]) -> OfFits:
        fits = self.answered.fits(arm)
        return OfFits.of([made(columns, ONE_FIT) for columns in fits]) if len(fits) > 1 else ONE_FIT

    def _arm(self, arm: int) -> ArmWorth:
        name = self.answered.names[arm]
        accuracy = self.accuracy(name)
        is_labels = bool(self.gold.labels) and self.gold.is_binary
        if not is_labels or not accuracy.estimate.n:
            return ArmWorth(name, accuracy, None, {})
        macro_f1 = self._with_fits(arm, self._macro_f1)
        return ArmWorth(name, accuracy, macro_f1, {label: self.recall(name, label) for label in self._seen_labels})

    def _accuracy(self, columns: Columns, fits: OfFits = ONE_FIT, lost: float | None = None) -> Powered:
        rows, sample, everywhere = self._where(columns, lost)
        guesses = Guesses(*self._both(self._guessed(columns, lost)[everywhere], rows, everywhere))
        return ppi.share(self._credit(columns, lost)[rows], guesses, sample, fits=fits)

    @cached_property
    def _seen_labels(self) -> tuple[str, ...]:
        held = {self._words[code] for code in self.truth}
        return tuple(label for label in self.gold.labels if label in held)[:MOST_LABELS]

    @cached_property
    def _posterior(self) -> consensus.Posterior:
        answered = self.answered
        n_answers = max(len(self.gold.labels), len(self._words))
        votes = Votes(answered.answers, answered.scores, n_answers, answered.arm_of)
        groups = np.arange(self.n_all) if answered.groups is None else answered.groups
        folds = [int(unit_interval("fold of the consensus", str(groups[row])) * FOLDS) for row in self.rows]
        return consensus.cross_fitted(votes, self.rows, self.truth, np.array(folds, dtype=np.int64))

    def _where(self, columns: Columns, lost: float | None) -> Where:
        return self._scored(*([columns] if lost is None else []))

    def _scored(self, *arms: Columns) -> Where:
        """The places among the labelled of those that each of these replied to, as a sample; and all such items."""
        everywhere = np.ones(self.n_all, dtype=np.bool_)
        for columns in arms:
            everywhere &= ~self.answered.failed[:, columns].all(axis=1)
        rows = np.flatnonzero(everywhere[self.rows])
        items = [self.answered.items[row] for row in self.rows[rows]]
        weights = np.array([self.gold.weights.get(item, 1.0) for item in items])
        groups = None if self.answered.groups is None else self.answered.groups[self.rows[rows]]
        return rows, Sample.of(len(rows), weights, groups), everywhere

    def _both(self, of_all: Numbers, rows: NDArray[np.int64], everywhere: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
        """The guesses of the labelled items and of all, from those of the items that count."""
        place = np.cumsum(everywhere) - 1
        return of_all[place[self.rows[rows]]], of_all

    def _credit(self, columns: Columns, lost: float | None = None) -> Numbers:
        """The arm's mean credit on the labelled items; `lost` where every call failed, if that is given."""
        worth = self._mean_of(columns, np.column_stack([self._credit_of(one) for one in columns]), self.rows)
        return worth if lost is None else np.where(self.answered.failed[self.rows][:, columns].all(axis=1), lost, worth)

    def _credit_of(self, column: int) -> Numbers:
        if column not in self._credit_by_column:
            answers = self.answered.answers[self.rows, column]
            made = [self._worth(int(gold), int(answer)) for gold, answer in zip(self.truth, answers, strict=True)]
            self._credit_by_column[column] = np.array(made, dtype=np.float64)
        return self._credit_by_column[column]

    def _worth(self, gold: int, answer: int) -> float:
        if (gold, answer) not in self._credits:
            said = None if answer == NONE else self._words[answer]
            self._credits[gold, answer] = self.gold.credit(self._words[gold], said)
        return self._credits[gold, answer]

    def _guessed(self, columns: Columns, lost: float | None = None) -> Numbers:
        """The mean credit that the arm may expect, of all items; `lost` where every call failed, if given."""
        expected = self._mean_of(columns, np.column_stack([self._expected(one) for one in columns]))
        return expected if lost is None else np.where(self.answered.failed[:, columns].all(axis=1), lost, expected)

    def _expected(self, column: int) -> Numbers:
        if column not in self._expected_by_column:
            self._expected_by_column[column] = self._expectation(self.answered.answers[:, column])
        return self._expected_by_column[column]

    def _expectation(self, answers: NDArray[np.int64]) -> Numbers:
        """The credit that each item's answer may expect."""
        posterior = self._posterior
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

    def _recall(self, columns: Columns, fits: OfFits, label: str, lost: float | None = None) -> Powered:
        rows, sample, everywhere = self._where(columns, lost)
        code = self._code.get(label, NONE - 1)
        held = (self.truth[rows] == code).astype(np.float64)
        said = self._said(columns, code)
        if lost is not None:
            said = np.where(self.answered.failed[:, columns].all(axis=1), lost, said)
        hits = held * said[self.rows[rows]]
        of_label = self._of_label(label)[everywhere]
        hit = of_label * said[everywhere]
        guesses = (Guesses(*self._both(hit, rows, everywhere)), Guesses(*self._both(of_label, rows, everywhere)))
        return ppi.recall(hits, held, guesses, sample, name=f"recall of {label}", fits=fits)

    def _macro_f1(self, columns: Columns, fits: OfFits = ONE_FIT) -> Powered:
        rows, sample, everywhere = self._where(columns, None)
        codes = [self._code.get(label, NONE - 1) for label in self.gold.labels]
        given = np.column_stack([self._said(columns, code) for code in codes])
        of_label = np.column_stack([self._of_label(label)[everywhere] for label in self.gold.labels])
        n = int(everywhere.sum())
        _, influence = ppi.macro_influence(of_label, given[everywhere], np.full(n, 1 / max(1, n)))
        gold = (self.truth[rows][:, None] == codes) @ np.arange(1, len(codes) + 1) - 1
        guesses = Guesses(*self._both(influence, rows, everywhere))
        return ppi.macro_f1(gold, given[self.rows[rows]], guesses, sample, fits=fits)

"""F1 and its kin for answers that are sets: labels, or pairs of a field and its value. Pure.

`parts` turns canonical text into the members of the set. An item without an answer has no members: it costs recall,
and its own F1 is 0, also where nothing was to be found.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from harness.stats import bootstrap, intervals, margins
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Sequence, Set

    from numpy.typing import NDArray

    Parts = Callable[[str], Collection[Hashable]]
    Clusters = NDArray[np.int64] | None
    Estimator = Callable[[Sequence[str], Sequence[str | None], Sequence[str], np.random.Generator, Clusters], Estimate]

RESAMPLES = 1_000
Member = TypeVar("Member")


def f1(gold: Set[Member], answer: Set[Member]) -> float:
    """The harmonic mean of precision and recall of one set; 1 where both are empty."""
    members = len(gold) + len(answer)
    return 2 * len(gold & answer) / members if members else 1.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Per item: how many members are in both sets, in the gold one, in the answer; and whether there is an answer."""

    both: NDArray[np.int64]
    gold: NDArray[np.int64]
    answer: NDArray[np.int64]
    answered: NDArray[np.bool_]

    @property
    def f1(self) -> NDArray[np.float64]:
        """The F1 of each item."""
        members = self.gold + self.answer
        found = np.divide(2 * self.both, members, out=np.ones(len(members)), where=members > 0)
        return np.where(self.answered, found, 0.0)

    @property
    def whole(self) -> NDArray[np.float64]:
        """1 where the answer is the gold set and nothing else, else 0."""
        return np.asarray((self.both == self.gold) & (self.both == self.answer) & self.answered, dtype=np.float64)

    def loss(self, n_labels: int) -> NDArray[np.float64]:
        """The share of so many labels that each item has wrong; 1 without an answer."""
        wrong = (self.gold + self.answer - 2 * self.both) / max(n_labels, 1)
        return np.where(self.answered, wrong, 1.0)


def counted(parts: Parts, gold: Sequence[str], answers: Sequence[str | None]) -> Counts:
    """The counts of some items."""
    of = lru_cache(maxsize=100_000)(lambda text: frozenset(parts(text)))
    golds = [of(text) for text in gold]
    given = [of(text) if text is not None else frozenset() for text in answers]
    return Counts(
        np.array([len(g & a) for g, a in zip(golds, given, strict=True)], dtype=np.int64),
        np.array([len(g) for g in golds], dtype=np.int64),
        np.array([len(a) for a in given], dtype=np.int64),
        np.array([text is not None for text in answers], dtype=np.bool_),
    )


def codes(n: int, clusters: Clusters) -> NDArray[np.int64]:
    """A code per item: its cluster's, or its own."""
    return np.arange(n) if clusters is None else np.asarray(clusters)


def _per_item(name: str, parts: Parts, worth: Callable[[Counts, int], NDArray[np.float64]]) -> Estimator:
    """The mean over items of what `worth` makes of their counts and the number of labels.

    Wilson's interval at the number of items that they are worth.
    """

    def estimate(
        gold: Sequence[str],
        answers: Sequence[str | None],
        labels: Sequence[str],
        _rng: np.random.Generator,
        clusters: Clusters = None,
    ) -> Estimate:
        values = worth(counted(parts, gold, answers), len(labels))
        return margins.share(values, codes(len(gold), clusters), name=name)

    return estimate


def mean_f1(parts: Parts) -> Estimator:
    """The mean of the items' F1."""
    return _per_item("mean_f1", parts, lambda counts, _: counts.f1)


def exact(parts: Parts, name: str) -> Estimator:
    """The share of items whose answer is the whole gold set and nothing else."""
    return _per_item(name, parts, lambda counts, _: counts.whole)


def hamming(parts: Parts) -> Estimator:
    """The share of all labels, item by item, that are wrongly there or wrongly missing; 1 for an item unanswered."""
    return _per_item("hamming_loss", parts, lambda counts, n: counts.loss(n))


def micro_f1(parts: Parts) -> Estimator:
    """F1 over all members of all items.

    It is the mean over members, each worth its item's F1: 2 both / (gold + answer) of an item, weighted by that
    sum. So an item is a cluster of so many members, and the interval is that of a clustered share.
    """

    def estimate(
        gold: Sequence[str],
        answers: Sequence[str | None],
        _labels: Sequence[str],
        _rng: np.random.Generator,
        clusters: Clusters = None,
    ) -> Estimate:
        return micro(counted(parts, gold, answers), codes(len(gold), clusters))

    return estimate


def micro(counts: Counts, groups: NDArray[np.int64]) -> Estimate:
    """The same from counts; `n` counts items."""
    members = counts.gold + counts.answer
    worth = np.divide(2 * counts.both, members, out=np.zeros(len(members)), where=members > 0)
    found = margins.share(np.repeat(worth, members), np.repeat(groups, members), name="micro_f1")
    return Estimate("micro_f1", found.value, found.low, found.high, len(members), found.method)


def macro_f1(parts: Parts) -> Estimator:
    """F1 per label over all items, averaged with equal weight over the labels that occur; percentile bootstrap."""

    def estimate(
        gold: Sequence[str],
        answers: Sequence[str | None],
        labels: Sequence[str],
        rng: np.random.Generator,
        clusters: Clusters = None,
    ) -> Estimate:
        golds, given = indicators(parts, gold, labels), indicators(parts, answers, labels)
        return bootstrap.macro_f1_of_sets(golds, given, rng, resamples=RESAMPLES, clusters=clusters)

    return estimate


@dataclass(frozen=True, slots=True)
class Named:
    """How one name, a label or a field, is answered over all items: `n` is how often it stands in the gold."""

    name: str
    n: int
    recall: Estimate
    precision: Estimate
    f1: Estimate


def by_name(
    members: Callable[[str], Collection[tuple[str, Hashable]]],
    gold: Sequence[str],
    answers: Sequence[str | None],
    names: Sequence[str],
) -> list[Named]:
    """Recall, precision and F1 of each name; `members` turns canonical text into pairs of a name and what it holds."""
    rows: dict[str, list[tuple[int, int, int]]] = {name: [] for name in names}
    for wanted, given in zip(gold, answers, strict=True):
        in_gold, in_answer = set(members(wanted)), set() if given is None else set(members(given))
        for name in {name for name, _ in in_gold | in_answer} & rows.keys():
            own = ({pair for pair in side if pair[0] == name} for side in (in_gold & in_answer, in_gold, in_answer))
            both, wanted_n, given_n = map(len, own)
            rows[name].append((both, wanted_n, given_n))
    return [_named(name, np.array(found, dtype=np.int64).reshape(-1, 3)) for name, found in rows.items()]


def _named(name: str, rows: NDArray[np.int64]) -> Named:
    both, gold, answer = (int(total) for total in rows.sum(axis=0))
    counts = Counts(rows[:, 0], rows[:, 1], rows[:, 2], np.ones(len(rows), dtype=np.bool_))
    return Named(
        name,
        gold,
        intervals.wilson(both, gold, name="recall"),
        intervals.wilson(both, answer, name="precision"),
        micro(counts, np.arange(len(rows))),
    )


def coverage(
    _gold: Sequence[str],
    answers: Sequence[str | None],
    _labels: Sequence[str],
    _rng: np.random.Generator,
    clusters: Clusters = None,
) -> Estimate:
    """The share of items answered at all; Wilson's score interval, in groups at what they are worth."""
    answered = np.array([answer is not None for answer in answers], dtype=np.float64)
    return margins.share(answered, codes(len(answers), clusters), name="coverage")


def indicators(parts: Parts, texts: Sequence[str | None], labels: Sequence[str]) -> NDArray[np.bool_]:
    """Items x labels: whether a label is in the set."""
    column = {label: place for place, label in enumerate(labels)}
    held = np.zeros((len(texts), len(labels)), dtype=np.bool_)
    for row, text in enumerate(texts):
        if text is not None:
            held[row, [column[str(name)] for name in parts(text) if name in column]] = True
    return held

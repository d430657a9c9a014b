"""What few labels and guesses say: an estimate beside gold alone, what both rest on, and the guesses themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.fits import Between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from harness.stats.weighted import Sample
    from harness.types import Estimate

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an estimate's interval is reckoned from, so that it can be had at any confidence, and tested.

    It is that of `worth` plain labels, 0 where there is no interval, at the quantiles of Student's t with `freedom`
    degrees (inf: the normal's). `apart` is, of a difference, the share of the items on which the two differ. `of_items`
    is the worth without the spread of fits, which no label makes smaller.
    """

    worth: float = 0.0
    freedom: float = inf
    apart: float = 0.0
    of_items: float = 0.0


@dataclass(frozen=True, slots=True)
class OfFits:
    """What the fits of an arm add to the variance of an estimate, and to that of gold alone; `count` is their number.

    What is said of an arm that was fitted several times is said of its mean fit, see `stats.fits`.
    """

    estimate: Between = field(default_factory=Between)
    alone: Between = field(default_factory=Between)
    count: int = 1

    @classmethod
    def of(cls, each: Sequence[Powered]) -> OfFits:
        """From every fit by itself; those of which nothing is known say nothing."""
        known = [one for one in each if one.estimate.value is not None and one.gold_alone.value is not None]
        estimates = [one.estimate.value or 0.0 for one in known]
        alone = [one.gold_alone.value or 0.0 for one in known]
        return cls(Between.of(estimates), Between.of(alone), max(len(each), 1))

    def __add__(self, other: OfFits) -> OfFits:
        """Those of a difference."""
        return OfFits(self.estimate + other.estimate, self.alone + other.alone, max(self.count, other.count))


ONE_FIT = OfFits()


@dataclass(frozen=True, slots=True)
class Powered:
    """An estimate from gold and guesses, the one from gold alone, and what the guesses were worth.

    `trust` is the weight of the guesses, from 0 (gold stands alone) to 1. `labels_saved` is how many more labels
    gold alone would need for an interval as narrow; None where there is no interval. `evidence` is what the estimate
    rests on.
    """

    estimate: Estimate
    gold_alone: Estimate
    trust: float
    labels_saved: int | None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Guesses:
    """What is guessed of the labelled items, and of all items, those included."""

    of_labelled: Numbers
    of_all: Numbers

    @classmethod
    def of(cls, of_labelled: ArrayLike, of_all: ArrayLike) -> Guesses:
        """Guesses of any array of numbers."""
        return cls(np.asarray(of_labelled, dtype=np.float64), np.asarray(of_all, dtype=np.float64))

    @property
    def n_all(self) -> int:
        """How many items there are."""
        return len(self.of_all)

    @property
    def mean_of_all(self) -> float:
        """The mean guess."""
        return float(self.of_all.mean()) if self.n_all else 0.0

    def less(self, other: Guesses, times: float, over: float) -> Guesses:
        """(These guesses - `times` x the others) / `over`."""
        return Guesses(
            (self.of_labelled - times * other.of_labelled) / over, (self.of_all - times * other.of_all) / over
        )

    def unseen(self, sample: Sample) -> float:
        """By how much the variance of a mean of guesses is larger, going by all items, than the sample shows.

        A sample that holds no item of a rare kind of guess cannot say how good guesses of that kind are.
        """
        seen = self.centred(sample)
        spread = float(np.var(self.of_all)) if self.n_all else 0.0
        return max(0.0, spread / sample.worth - sample.products(seen, seen))

    def centred(self, sample: Sample) -> Numbers:
        """The guesses of the labelled items less their weighted mean."""
        return self.of_labelled - sample.mean(self.of_labelled)


def growth(worth: Numbers, n: int, later: int, n_all: int) -> Numbers:
    """How many times as many plain labels `later` labels are worth as the `n` of today, of the `worth` of those.

    A guess explains less and less as labels come, and with a label for every item nothing: then each is worth one.
    """
    if later <= n:
        return np.ones_like(worth)
    today = n / np.maximum(worth, 1e-9)
    then = today + (1 - today) * (later - n) / max(n_all - n, 1)
    return np.asarray(later / n * today / np.maximum(then, 1e-9))


def needed(worth: float, n: int, n_all: int, target: float) -> float:
    """The labels at which `growth` makes them worth `target` plain ones; infinite where no number does."""
    if target >= n_all:
        return inf
    today, left = n / worth, max(n_all - n, 1)
    return target * (today - (1 - today) * n / left) / (1 - target * (1 - today) / left)

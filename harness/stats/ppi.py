"""What few gold labels and predictions for all say together: prediction-powered inference.

People label a part of the items, drawn with known probabilities; something else (a judge, a model of how arms
agree) guesses the same quantity for all items. The guesses give the mean, the labelled part says how far they are off.

The estimator is the difference estimator of survey sampling (Särndal, Swensson and Wretman 1992, section 6.3),
which Angelopoulos et al. 2023 (Science 382, 669) call prediction-powered; its weight is that of PPI++ (Angelopoulos,
Duchi and Zrnic 2023, section 6). The guesses must not have been learnt from the labels they are set against:
cross-fit them (Zrnic and Candès 2024).

Small samples are what this is for, so the interval is not the papers' normal one. It is gold alone's own (Wilson's
for shares, Tango's for differences) at the number of labels that the guesses make of those given. That number is
reckoned with `PRIOR` further values that the guesses say nothing of, at Student's t; where it would not be more than
the labels themselves, gold stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isinf
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import scipy

from harness.stats.intervals import wilson_limits
from harness.stats.paired import Weights, tango_limits
from harness.stats.powered import ONE_FIT, Evidence, Powered
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from harness.stats.fits import Between
    from harness.stats.powered import Guesses, OfFits
    from harness.stats.weighted import Sample

    Numbers = NDArray[np.float64]
    Limits = Callable[[float, float, float], tuple[float, float]]

PRIOR = 4.0
"""Values of which the guesses know nothing, added to every variance: a few labels must not look like certainty."""

PRIOR_OF_LABEL = 1.0
"""The same for every label of a macro-F1."""

ROUNDING = 1e-12
FEWEST = 5  # labels from which guesses are weighed at all
FEWEST_OF_LABEL = 5  # gold items of every label from which a macro-F1 has an interval


def share(
    gold: ArrayLike, guesses: Guesses, sample: Sample, *, name: str = "accuracy", fits: OfFits = ONE_FIT
) -> Powered:
    """The mean of values in [0, 1], right or wrong or a credit: Wilson's interval."""
    values = np.asarray(gold, dtype=np.float64)
    _check(values, guesses, sample)
    if not len(values):
        return _nothing(name)
    mean = min(1.0, sample.mean(values))
    measured = _Measured(sample, sample, mean, values - mean, mean * (1 - mean), fits=fits)
    return _powered(name, measured, guesses, _wilson)


def recall(
    hits: ArrayLike,
    of_label: ArrayLike,
    guessed: tuple[Guesses, Guesses],
    sample: Sample,
    *,
    name: str,
    fits: OfFits = ONE_FIT,
) -> Powered:
    """The share of a label's items that were hit, of the `hits` and the items `of_label`, each 0 or 1 (or a credit).

    `guessed` are the guesses of both. A ratio of two means, linearised; the items of the label are what counts.
    """
    hit, held = np.asarray(hits, dtype=np.float64), np.asarray(of_label, dtype=np.float64)
    _check(hit, guessed[0], sample)
    if not held.any():
        return _nothing(name)
    share_of_all = sample.mean(held)
    mean = min(1.0, sample.mean(hit) / share_of_all)
    carriers = sample.of_part(held)
    influence = (hit - mean * held) / share_of_all
    linear = guessed[0].less(guessed[1], mean, share_of_all)
    n, spread = int((held > 0).sum()), mean * (1 - mean)
    measured = _Measured(sample, carriers, mean, influence, spread, n, share_of_all=share_of_all, fits=fits)
    return _powered(name, measured, linear, _wilson)


def difference(
    gold: ArrayLike,
    guesses: Guesses,
    apart: Guesses,
    sample: Sample,
    *,
    name: str = "difference",
    fits: OfFits = ONE_FIT,
) -> Powered:
    """The mean of a's value less b's, in [-1, 1]: Tango's interval.

    `apart` guesses how far apart the two are, whoever is better: of items with one answer that is 0.
    """
    values = np.asarray(gold, dtype=np.float64)
    _check(values, guesses, sample)
    if not len(values):
        return _nothing(name)
    mean, gap = sample.mean(values), sample.mean(np.abs(values))

    def wide(value: float) -> float:
        trust = _trust(measured, guesses)
        guessed = trust * (apart.mean_of_all - sample.mean(apart.of_labelled)) if value != mean else 0.0
        return min(1.0, max(abs(value), gap + guessed))

    def limits(value: float, n: float, z: float) -> tuple[float, float]:
        far = wide(value)
        return tango_limits(Weights(n, n * (far + value) / 2, n * (far - value) / 2), value, z)

    prior = (gap * len(values) + 2, 4.0)
    measured = _Measured(sample, sample, mean, values - mean, gap - mean**2, prior=prior, fits=fits)
    found = _powered(name, measured, guesses, limits)
    return replace(found, evidence=replace(found.evidence, apart=wide(found.estimate.value or 0.0)))


def macro_f1(gold: ArrayLike, given: Numbers, guesses: Guesses, sample: Sample, *, fits: OfFits = ONE_FIT) -> Powered:
    """The mean F1 of the labels, from codes of gold and how often each label was `given` an item (see `one_hot`).

    `guesses` are those of `macro_influence`, whose answers are known of all items. A label that is neither in gold
    nor among the answers is left out. Linearised, so it wants some items of each label: with fewer than
    `FEWEST_OF_LABEL` of any there is no interval.
    """
    truth = np.asarray(gold, dtype=np.int64)
    if not len(truth):
        return _nothing("macro_f1")
    is_gold = one_hot(truth, given.shape[1])
    value, influence = macro_influence(is_gold, given, sample.weights)
    counts = is_gold.sum(axis=0)
    scarce = int(((counts < FEWEST_OF_LABEL) & ((counts > 0) | given.any(axis=0))).sum())
    if scarce:
        why = f"no interval: {scarce} of the labels have fewer than {FEWEST_OF_LABEL} gold items"
        alone = Estimate("macro_f1", value, None, None, len(truth), why)
        return Powered(alone, alone, 0.0, None)
    unseen = _unseen_of_labels(is_gold, given, sample)
    measured = _Measured(sample, sample, value, influence, value * (1 - value), lacking=unseen, fits=fits)
    return _powered("macro_f1", measured, guesses, _wilson)


def one_hot(answers: NDArray[np.int64], n_labels: int) -> Numbers:
    """Codes (-1: none) as items x labels: 1 where the item has the label."""
    return np.asarray(answers[:, None] == np.arange(n_labels), dtype=np.float64)


def _unseen_of_labels(is_gold: Numbers, given: Numbers, sample: Sample) -> float:
    """What one item more of every label would add to the variance of a macro-F1, if nobody knew whether it is a hit.

    As many labels have an F1 near 1 with a handful of items each, so their own spread promises too much.
    """
    halves = (is_gold + given) / 2  # an item counts for the label that it has, and for the one that was given
    labels = np.flatnonzero(halves.any(axis=0))
    added = 0.0
    for label in labels:
        part = sample.of_part(halves[:, label])
        f1 = float(sample.weights @ (is_gold * given)[:, label]) / sample.mean(halves[:, label])
        shrunk = (f1 * part.worth + PRIOR_OF_LABEL / 2) / (part.worth + PRIOR_OF_LABEL)
        one = max(part.weight_of_one, sample.weight_of_one / sample.mean(halves[:, label]) ** 2)
        added += PRIOR_OF_LABEL * shrunk * (1 - shrunk) * one
    return added / len(labels) ** 2


def macro_influence(of_label: Numbers, given: Numbers, weights: Numbers) -> tuple[float, Numbers]:
    """The macro-F1 of items that are of each label with some probability, and each item's influence.

    `given` is how often each label was given, 0 or 1 of a single answer; labels are the columns of both.
    """
    hits, seen = weights @ (of_label * given), weights @ (of_label + given)
    present = seen > 0
    seen = np.where(present, seen, 1.0)
    share = present / max(1, int(present.sum()))
    influence = (2 * of_label * given / seen - 2 * hits * (of_label + given) / seen**2) @ share
    return float((2 * hits / seen) @ share), influence


@dataclass(frozen=True)
class _Measured:
    """What gold says: the value, each item's influence on it, and the variance one plain item would have.

    `carriers` is the sample of the items the value is about, `n` how many they are. `prior` is the sum of what the
    prior variance is reckoned from, and what is added to the number of items for it. `share_of_all` is that of the
    carriers, `lacking` what unseen values add to the variance where that is known otherwise.
    """

    sample: Sample
    carriers: Sample
    value: float
    influence: Numbers
    spread: float
    n: int = -1
    prior: tuple[float, float] | None = None
    share_of_all: float = 1.0
    lacking: float | None = None
    fits: OfFits = ONE_FIT

    @property
    def labels(self) -> int:
        return len(self.influence) if self.n < 0 else self.n

    @property
    def prior_spread(self) -> float:
        """The variance of a value that nobody has seen: that of the values seen and four more, half of them hits."""
        worth = self.carriers.worth
        if self.prior is not None:
            return self.prior[0] / (self.labels + self.prior[1])
        mean = (self.value * worth + PRIOR / 2) / (worth + PRIOR)
        return mean * (1 - mean)

    @property
    def unseen(self) -> float:
        """What the values that nobody has seen add to the variance of the mean.

        One of them may weigh what any item of the sample does: the items of a rare label may all be ones that were
        drawn because arms differ on them, and stand for few.
        """
        if self.lacking is not None:
            return self.lacking
        one = self.carriers.weight_of_one
        other = max(one, self.sample.weight_of_one / self.share_of_all**2)
        return self.prior_spread * ((PRIOR - 1) * one + other)

    @property
    def worth(self) -> float:
        """How many plain labels the labels are worth."""
        if self.is_plain:
            return float(self.labels)
        held = max(self.spread, 0.0) + PRIOR * self.prior_spread / self.carriers.worth
        return held / (self.sample.products(self.influence, self.influence) + self.unseen)

    @property
    def is_plain(self) -> bool:
        counting = self.carriers.weights[self.carriers.weights > 0]
        plain = self.sample.is_plain and np.ptp(counting) <= 1e-12 * counting.max()
        values = self.value + self.influence if self.carriers is self.sample else np.zeros(1)
        return bool(plain) and bool(np.all(np.isclose(np.abs(values), np.round(np.abs(values)))))


def _powered(name: str, measured: _Measured, guesses: Guesses, limits: Limits) -> Powered:
    """Gold alone and with guesses, each at its own quantile."""
    n, units = measured.labels, measured.sample.n_units
    lowest, fits = 0.0 if limits is _wilson else -1.0, measured.fits
    several = f", {fits.count} fits" if fits.count > 1 else ""
    counted = ("" if measured.is_plain else ", weighted") + several

    def made(value: float, held: Evidence, method: str) -> Estimate:
        low, high = limits(value, held.worth, _student(held.freedom))
        return Estimate(name, value, max(lowest, low), min(1.0, high), n, method)

    freedom = inf if measured.is_plain else units - 1.0
    if freedom < 1:
        one = "label" if n == 1 else "group of items"
        alone = Estimate(name, measured.value, None, None, n, f"gold alone: no interval from one {one}")
        return Powered(alone, alone, 0.0, None)
    plain = _with_fits(measured.value, measured.worth, freedom, measured, fits.alone)
    alone = made(measured.value, plain, f"gold alone{counted}")
    trust = _trust(measured, guesses) if n >= FEWEST else 0.0
    ratio = _ratio(measured, guesses, trust) if trust else 1.0
    if not trust or ratio * (_student(units - 2.0) / _student(freedom)) ** 2 >= 1:
        return Powered(alone, alone, 0.0, 0, plain)
    moved = measured.value + trust * (guesses.mean_of_all - measured.sample.mean(guesses.of_labelled))
    value = float(np.clip(moved, lowest, 1.0))
    held = _with_fits(value, measured.worth / ratio, units - 2.0, measured, fits.estimate)
    estimate = made(value, held, f"PPI++, {n:,} gold of {guesses.n_all:,}{counted}, trust {trust:.2f}")
    return Powered(estimate, alone, trust, _saved(estimate, alone), held)


def _with_fits(value: float, worth: float, freedom: float, measured: _Measured, fits: Between) -> Evidence:
    """The evidence of so many labels once the fits' own variance is added to that of the items.

    The latter is that of the value with two more imagined, as in `Fits.widened` and `Fits.spread`.
    """
    of_one = measured.spread + measured.value**2 - value**2 if measured.prior is not None else value * (1 - value)
    items = (max(0.0, of_one) + 2 / max(worth, 2.0)) / worth
    times, joined = fits.joined(items, freedom)
    return Evidence(worth / times, joined, of_items=worth)


def _trust(measured: _Measured, guesses: Guesses) -> float:
    """The weight of the guesses with the smallest variance, in [0, 1]; 0 where they say nothing."""
    sample, guessed = measured.sample, guesses.centred(measured.sample)
    spread = sample.products(guessed, guessed) + guesses.unseen(sample)
    if spread <= 0:
        return 0.0
    return float(np.clip(sample.products(measured.influence, guessed) / spread, 0.0, 1.0))


def _ratio(measured: _Measured, guesses: Guesses, trust: float) -> float:
    """The variance with guesses over that of gold alone."""
    sample, units = measured.sample, measured.sample.n_units
    rest = measured.influence - trust * guesses.centred(sample)
    alone = sample.products(measured.influence, measured.influence) + measured.unseen
    with_guesses = sample.products(rest, rest) + trust**2 * guesses.unseen(sample)
    # The guesses' mean is itself of so many items only: the part of the variance that they explain comes back.
    explained = max(0.0, sample.mean(measured.influence**2) - sample.mean(rest**2))
    return (with_guesses * units / (units - 2) + measured.unseen + explained / guesses.n_all) / alone


def _saved(estimate: Estimate, alone: Estimate) -> int:
    width = (estimate.high or 0.0) - (estimate.low or 0.0)
    if width <= 0:
        return 0
    return max(0, round(estimate.n * ((((alone.high or 0.0) - (alone.low or 0.0)) / width) ** 2 - 1)))


def _wilson(value: float, n: float, z: float) -> tuple[float, float]:
    # A weighted mean of ones is 1 up to rounding; the ends are exact there (see `wilson_limits`).
    edge = round(value)
    right = edge * n if abs(value - edge) < ROUNDING else value * n
    low, high = wilson_limits(right, n, z)
    return min(low, value), max(high, value)


def _student(freedom: float) -> float:
    """The .975 quantile of Student's t; the normal's where there are degrees of freedom without end."""
    if freedom <= 0:
        return inf
    return NormalDist().inv_cdf(0.975) if isinf(freedom) else float(scipy.special.stdtrit(freedom, 0.975))


def _nothing(name: str) -> Powered:
    none = Estimate(name, None, None, None, 0, "no gold labels")
    return Powered(none, none, 0.0, None)


def _check(gold: Numbers, guesses: Guesses, sample: Sample) -> None:
    if not len(gold) == len(guesses.of_labelled) == len(sample.weights):
        raise ValueError(
            f"{len(gold)} gold values, {len(guesses.of_labelled)} guesses and {len(sample.weights)} weights; "
            "they are of the same items"
        )

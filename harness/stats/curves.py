"""Learning curves: accuracy against labels, where a curve crosses a level, what a lead is worth in labels.

What was measured is an array of bool, seeds x sizes x items: which items were right, for every draw of
the training labels and every number of them. Uncertainty comes from both the labels that were drawn
and the items that were asked, so both are resampled (seeds, and items or their groups).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy  # its parts are loaded when they are used: few who import this draw a curve

from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

RESAMPLES = 1_000
REFITS = 40
TAIL = 0.025
FEWEST_SEEDS = 3
BEYOND = float("inf")


@dataclass(frozen=True, slots=True)
class Crossing:
    """The number of labels at which a curve reaches a level, with its 95% interval.

    `labels` is None when it does not within what was tried. `low` is the smallest size tried when the
    curve may be above the level there already, `high` None when it may reach it only beyond the
    largest. `reason` says so in words. `seeds` counts the draws of training labels behind it: with fewer than
    `FEWEST_SEEDS` the interval covers less than it says (with one .853, with three .96; simulated).
    """

    labels: float | None
    low: float | None
    high: float | None
    reason: str
    seeds: int

    @property
    def is_too_narrow(self) -> bool:
        """Whether there are too few draws for its interval."""
        return self.seeds < FEWEST_SEEDS


def item_weights(groups: ArrayLike, rng: Generator, resamples: int = RESAMPLES) -> Numbers:
    """Resamples of items, whole groups at once: weights that add up to 1, one row a resample.

    The first row is what was seen: every item with the same weight.
    """
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    n = int(codes.max()) + 1
    counts = rng.multinomial(n, np.full(n, 1 / n), size=resamples)
    drawn = np.vstack([np.ones(n, dtype=np.int64), counts])[:, codes].astype(np.float64)
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def resampled(right: ArrayLike, weights: Numbers, rng: Generator) -> Numbers:
    """Curves, one row a resample and one column a size; the first row is what was seen.

    `right` is seeds x sizes x items; every row of `weights` weighs the items, and the seeds are
    drawn with replacement.
    """
    hits = np.asarray(right, dtype=np.float64)
    seeds, sizes, items = hits.shape
    by_seed = (weights @ hits.reshape(seeds * sizes, items).T).reshape(len(weights), seeds, sizes)
    drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=len(weights)).astype(np.float64)
    drawn[0] = 1
    return np.asarray(np.einsum("rs,rsk->rk", drawn / seeds, by_seed))


def estimate(draws: Numbers, n: int, seeds: int, name: str = "accuracy") -> Estimate:
    """What was seen (the first draw), with the percentile interval of the others."""
    # Weights add up to 1 up to rounding, and a share never leaves 0 to 1.
    value, low, high = np.clip([draws[0], *np.quantile(draws[1:], [TAIL, 1 - TAIL])], 0.0, 1.0)
    both = f"{seeds} seeds x items" if seeds > 1 else "items, one seed"
    return Estimate(name, float(value), float(low), float(high), n, f"percentile bootstrap of {both}")


def crossing(sizes: Sequence[int], curves: Numbers, levels: Numbers, seeds: int) -> Crossing:
    """Where the curve of so many seeds reaches the level: both resampled together, the first row as it was seen."""
    found = np.array([meets(sizes, curve, level) for curve, level in zip(curves, levels, strict=True)])
    seen, draws = found[0], np.sort(found[1:])
    low, high = draws[int(TAIL * len(draws))], draws[int(np.ceil((1 - TAIL) * len(draws))) - 1]
    if seen == BEYOND:
        last = f"{float(curves[0, -1]):.3f} at {sizes[-1]:,} labels"
        may = "" if low == BEYOND else f"; it may from {low:,.0f} labels on"
        return Crossing(
            None, None, None, f"the curve does not reach {float(levels[0]):.3f}: it is at {last}{may}", seeds
        )
    said = []
    if low <= sizes[0]:
        said.append(f"it may be there already with the {sizes[0]:,} labels of the smallest size")
    if high == BEYOND:
        said.append(f"it may need more than the {sizes[-1]:,} labels of the largest size")
    return Crossing(float(seen), float(low), None if high == BEYOND else float(high), "; ".join(said), seeds)


def meets(sizes: Sequence[int], curve: Numbers, level: float) -> float:
    """The labels at which a curve first reaches the level; the smallest size at least, infinity when it does not.

    The curve is made monotone (isotonic regression, Barlow et al. 1972), because a dip is noise, and
    followed in a straight line over the logarithm of the labels between two sizes.
    """
    risen = np.asarray(scipy.optimize.isotonic_regression(curve).x)
    reached = np.flatnonzero(risen >= level)
    if len(reached) == 0:
        return BEYOND
    after = int(reached[0])
    if after == 0:
        return float(sizes[0])
    low, high = risen[after - 1], risen[after]
    share = (level - low) / (high - low)
    return float(np.exp(np.log(sizes[after - 1]) + share * (np.log(sizes[after]) - np.log(sizes[after - 1]))))


def label_worth(a: tuple[ArrayLike, ArrayLike], b: tuple[ArrayLike, ArrayLike]) -> Numbers:
    """How many labels arm a saves over arm b, averaged over the accuracies that both reach.

    Arms are (labels, accuracy), the accuracy one curve or one a row: then a number a row. The curves are accumulated
    maxima; between two sizes they are straight lines. The area between them, read along the labels,
    divided by the height of the band: the data advantage of Le Scao and Rush (2021). NaN where they
    share no band.
    """
    (labels_a, risen_a), (labels_b, risen_b) = _risen(a), _risen(b)
    low = np.maximum(risen_a[..., 0], risen_b[..., 0])
    high = np.minimum(risen_a[..., -1], risen_b[..., -1])
    height = np.where(high > low, high - low, np.nan)
    return np.asarray((_area(labels_b, risen_b, low, high) - _area(labels_a, risen_a, low, high)) / height)


def _risen(arm: tuple[ArrayLike, ArrayLike]) -> tuple[Numbers, Numbers]:
    labels, accuracy = (np.asarray(values, dtype=np.float64) for values in arm)
    return labels, np.maximum.accumulate(accuracy, axis=-1)


def _area(labels: Numbers, risen: Numbers, low: Numbers, high: Numbers) -> Numbers:
    """The area between a curve and the axis of accuracies, from one accuracy to another: step by step, a trapezoid."""
    starts, ends = risen[..., :-1], risen[..., 1:]
    slope = np.divide(np.diff(labels), ends - starts, out=np.zeros_like(starts), where=ends > starts)
    bottom, top = (np.clip(edge, low[..., None], high[..., None]) for edge in (starts, ends))
    middle = labels[:-1] + ((bottom + top) / 2 - starts) * slope
    return np.asarray(((top - bottom) * middle).sum(axis=-1))


def is_flat(curves: Numbers, least: float) -> bool:
    """Whether the last two steps together are shown to gain less than `least` (97.5%, one-sided)."""
    if curves.shape[1] < 3:
        return False
    gains = curves[1:, -1] - curves[1:, -3]
    return bool(np.quantile(gains, 1 - TAIL) < least)


def extrapolated(sizes: Sequence[int], curves: Numbers, labels: float) -> Estimate | None:
    """A wide band for the accuracy at more labels than were tried: a guess, and marked as such.

    Each of three families (pow3, exponential, MMF; Viering and Loog 2022) is fitted to resampled
    curves; no family is best everywhere, so their spread counts as uncertainty. None with fewer
    than four sizes: nothing can be fitted.
    """
    if len(sizes) < 4:
        return None
    x = np.asarray(sizes, dtype=np.float64) / sizes[-1]
    to = labels / sizes[-1]
    guesses = [family(x, curve, to) for curve in curves[: REFITS + 1] for family in FAMILIES]
    low, middle, high = np.quantile(guesses, [TAIL, 0.5, 1 - TAIL])
    method = f"extrapolation, {len(FAMILIES)} families x {REFITS} resamples: a guess"
    return Estimate("accuracy", float(middle), float(low), float(high), 0, method)


def _pow3(p: Numbers, x: ArrayLike) -> Numbers:
    return np.asarray(p[0] - p[1] * np.power(x, -p[2]))


def _exponential(p: Numbers, x: ArrayLike) -> Numbers:
    return np.asarray(p[0] - p[1] * np.exp(-p[2] * np.asarray(x)))


def _mmf(p: Numbers, x: ArrayLike) -> Numbers:
    power = np.power(x, p[3])
    return np.asarray((p[2] * p[1] + p[0] * power) / (p[1] + power))


def _fitted(
    form: Callable[[Numbers, ArrayLike], Numbers], start: Sequence[float], most: Sequence[float]
) -> Callable[[Numbers, Numbers, float], float]:
    def at(x: Numbers, y: Numbers, to: float) -> float:
        first = np.clip([y[-1], *start], 1e-6, np.asarray(most) - 1e-6)
        least = np.full(len(most), 1e-9)
        fit = scipy.optimize.least_squares(lambda p: form(p, x) - y, first, bounds=(least, most), max_nfev=60)
        return float(np.clip(form(fit.x, to), 0.0, 1.0))

    return at


FAMILIES = (
    _fitted(_pow3, (0.1, 0.5), (1.0, 5.0, 5.0)),
    _fitted(_exponential, (0.5, 3.0), (1.0, 5.0, 200.0)),
    _fitted(_mmf, (0.3, 0.1, 0.8), (1.0, 50.0, 1.0, 5.0)),
)

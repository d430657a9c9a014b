"""What was learnt with how many labels, and what follows from it: points, crossover, label worth. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import ConfigError
from harness.ground import formatting
from harness.stats import clusters, curves, margins
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from harness.analysis.measures import Measure
    from harness.stats.curves import Crossing

GUESSED_AHEAD = 2  # times the largest size
LEAST_GAIN = 0.01  # over two steps: less is flat


@dataclass(frozen=True)
class Learnt:
    """One arm: `credit` is seeds x sizes x items, for the numbers of labels in `sizes` and the `items`' ids.

    `is_flat`: larger sizes were left out, because the last two steps were shown to gain less than a point.
    `run_ids` are the stored runs behind it.
    """

    arm: str
    sizes: tuple[int, ...]
    credit: NDArray[np.float64]
    items: tuple[str, ...]
    is_flat: bool = False
    run_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rival:
    """The run that a curve is held against: per item its score, failed items left out."""

    name: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Point:
    """The mean with so many labels, over seeds and items."""

    n_labels: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Worth:
    """How many labels the arm saves over another, averaged over the accuracies that both reach."""

    over: str
    labels: Estimate


@dataclass(frozen=True, slots=True)
class Curve:
    """A learning curve. `crossover` is None without a rival; `guess` is a point beyond what was tried."""

    arm: str
    seeds: int
    points: tuple[Point, ...]
    is_flat: bool
    rival: str | None
    level: Estimate | None
    crossover: Crossing | None
    worth: tuple[Worth, ...]
    guess: Point | None
    noun: str = "accuracy"


@dataclass(frozen=True, slots=True)
class Fit:
    """A stored run behind a curve: one draw of so many labels, and its accuracy on the curve's items."""

    arm: str
    run_id: str
    n_labels: int
    seed: int
    n: int
    accuracy: float


@dataclass(frozen=True)
class Curves:
    """The curves that are stored for a split, all on the same items, and the run they are held against.

    `rival_id` is that run's id. Items that the rival failed on count for nobody.
    """

    learnt: tuple[Learnt, ...]
    fits: tuple[Fit, ...]
    groups: Mapping[str, str]
    rival: Rival | None = None
    rival_id: str | None = None

    @cached_property
    def drawn(self) -> tuple[Curve, ...]:
        """The curves, the one that ends highest first; the same ones every time, and only what was measured."""
        rng = np.random.default_rng(0)
        found = analyse(self.learnt, self.groups, self.rival, 0.0, rng, with_guess=False)
        return tuple(sorted(found, key=lambda curve: (-(curve.points[-1].estimate.value or 0.0), curve.arm)))


def _level(scores: NDArray[np.float64], codes: NDArray[np.int64]) -> Estimate:
    """What the rival gets right: a share of the items, or the mean of their scores where it was asked repeatedly."""
    if np.isin(scores, (0.0, 1.0)).all():
        return margins.share(scores, codes)
    return clusters.cluster_mean(scores, codes, name="accuracy")


def is_flat(learnt: Learnt, groups: Mapping[str, str], rng: Generator) -> bool:
    """Whether more labels are shown to gain next to nothing."""
    weights = curves.item_weights(_codes(learnt.items, groups), rng)
    return curves.is_flat(curves.resampled(learnt.credit, weights, rng), LEAST_GAIN)


def analyse(
    learnt: Sequence[Learnt],
    groups: Mapping[str, str],
    rival: Rival | None,
    margin: float,
    rng: Generator,
    *,
    with_guess: bool = True,
) -> list[Curve]:
    """The curves of arms that were asked the same items, each held against the rival and the other arms.

    A curve crosses the rival where it is no more than `margin` below it. `groups` names the group
    of an item that has one. All arms and the rival see the same resampled items. `ConfigError` when
    the rival was asked none of them.
    """
    items = learnt[0].items
    kept = np.array([rival is None or item in rival.scores for item in items])
    if rival is not None and not kept.any():
        raise ConfigError(f"{rival.name} was asked none of the curve's items; run it on the same split and --limit")
    codes = _codes([item for item, keep in zip(items, kept, strict=True) if keep], groups)
    weights = curves.item_weights(codes, rng)
    drawn = [curves.resampled(one.credit[:, :, kept], weights, rng) for one in learnt]
    scores = np.array([rival.scores[item] for item in items if item in rival.scores]) if rival else None
    levels = None if scores is None else weights @ scores
    return [
        Curve(
            arm=one.arm,
            seeds=len(one.credit),
            points=tuple(
                Point(n, curves.estimate(draws[:, i], int(kept.sum()), len(one.credit)))
                for i, n in enumerate(one.sizes)
            ),
            is_flat=one.is_flat,
            rival=None if rival is None else rival.name,
            level=None if scores is None else _level(scores, np.unique(codes, return_inverse=True)[1]),
            crossover=None if levels is None else curves.crossing(one.sizes, draws, levels - margin, len(one.credit)),
            worth=tuple(
                _worth(one, draws, other, others)
                for other, others in zip(learnt, drawn, strict=True)
                if other is not one
            ),
            guess=_guess(one, draws) if with_guess else None,
        )
        for one, draws in zip(learnt, drawn, strict=True)
    ]


def in_unit(curve: Curve, measure: Measure) -> Curve:
    """A curve of merits (`measures.Measure.merit`), its points in the metric's own unit and under its name."""
    curve = replace(curve, noun=measure.noun)
    if measure.is_headline:
        return curve
    points = tuple(replace(point, estimate=measure.of_merit(point.estimate)) for point in curve.points)
    guess = curve.guess and replace(curve.guess, estimate=measure.of_merit(curve.guess.estimate))
    return replace(curve, points=points, guess=guess, level=curve.level and measure.of_merit(curve.level))


def sentences(curve: Curve, margin: float = 0.0) -> list[str]:
    """A curve in words: where it crosses, what it is worth in labels, whether more labels help."""
    said = []
    crossing = curve.crossover
    if crossing is not None and curve.level is not None:
        below = f" (less {formatting.share(margin)})" if margin else ""
        level = f"{curve.rival}, {formatting.with_interval(curve.level)}{below}"
        if crossing.labels is None:
            said.append(f"does not meet {level}: {crossing.reason}")
        else:
            said.append(f"meets {level}, with {crossing.labels:,.0f} labels ({crossed_between(crossing)})")
            said += [crossing.reason] if crossing.reason else []
    for worth in curve.worth:
        found = worth.labels
        if found.value is None:
            said.append(f"shares no {curve.noun} with {worth.over}, so neither is worth labels over the other")
        else:
            span = "unknown" if found.low is None else f"{found.low:,.0f} to {found.high:,.0f}"
            said.append(
                f"is worth {found.value:,.0f} labels over {worth.over} ({span}), where both reach the same {curve.noun}"
            )
    if curve.is_flat:
        said.append("larger sizes were left out: the last two steps gain less than a point (--all-sizes goes on)")
    elif curve.guess is not None:
        band = curve.guess.estimate
        said.append(
            f"with {curve.guess.n_labels:,} labels, perhaps {formatting.interval(band)}: a guess from curves, not "
            "measured"
        )
    return said


def crossed_between(crossing: Crossing) -> str:
    """The interval of a crossing that was seen: `80 to 200`, or open where it may lie beyond what was tried.

    Of too few draws of the training labels it says so.
    """
    high = "beyond what was tried" if crossing.high is None else f"{crossing.high:,.0f}"
    few = f", of {formatting.plural(crossing.seeds, 'draw')}: too narrow" if crossing.is_too_narrow else ""
    return f"{crossing.low:,.0f} to {high}{few}"


def _worth(one: Learnt, draws: NDArray[np.float64], other: Learnt, others: NDArray[np.float64]) -> Worth:
    found = curves.label_worth((one.sizes, draws), (other.sizes, others))
    method = "data advantage (Le Scao and Rush 2021), bootstrap of seeds x items"
    if np.isnan(found).any():
        seen = None if np.isnan(found[0]) else float(found[0])
        return Worth(other.arm, Estimate("labels", seen, None, None, len(one.items), f"{method}: no shared band"))
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return Worth(other.arm, Estimate("labels", float(found[0]), float(low), float(high), len(one.items), method))


def _guess(one: Learnt, draws: NDArray[np.float64]) -> Point | None:
    ahead = GUESSED_AHEAD * one.sizes[-1]
    band = curves.extrapolated(one.sizes, draws, ahead)
    return None if band is None else Point(ahead, band)


def _codes(items: Sequence[str], groups: Mapping[str, str]) -> list[str]:
    return [f"g{groups[item]}" if item in groups else f"i{item}" for item in items]

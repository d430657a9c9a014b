from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import curves
from harness.analysis.curves import Learnt, Rival
from harness.errors import ConfigError

ITEMS = tuple(f"i{i}" for i in range(300))
SIZES = (10, 20, 40, 80)


def rising(arm, start, seed):
    """Right on `start` of the items with 10 labels, .1 more with each doubling."""
    rng = np.random.default_rng(seed)
    level = start + 0.1 * np.arange(4)[None, :, None] + rng.normal(0, 0.02, (4, 1, 1))
    return Learnt(arm, SIZES, (np.random.default_rng(0).random((1, 1, 300)) < level).astype(float), ITEMS)


def analysed(arms, rival=None, margin=0.0, groups=None):
    return curves.analyse(arms, groups or {}, rival, margin, np.random.default_rng(0))


def test_held_against_a_run():
    """It crosses a run that is right on 70% between 20 and 80 labels, with a margin sooner, a perfect one never."""
    rng = np.random.default_rng(7)
    rival = Rival("prompt:v1", {item: float(rng.random() < 0.7) for item in ITEMS})
    (curve,) = analysed([rising("arm", 0.5, 1)], rival)
    assert curve.crossover.low < curve.crossover.labels < (curve.crossover.high or np.inf)
    assert 20 < curve.crossover.labels < 80
    (sooner,) = analysed([rising("arm", 0.5, 1)], rival, margin=0.05)
    assert sooner.crossover.labels < curve.crossover.labels
    (never,) = analysed([rising("arm", 0.5, 1)], Rival("perfect", dict.fromkeys(ITEMS, 1.0)))
    assert never.crossover.labels is None


def test_only_items_that_the_run_was_scored_on():
    """Its failed items are in no point of the curve; without any shared item there is no comparison."""
    rival = Rival("prompt:v1", dict.fromkeys(ITEMS[:200], 0.5))
    (curve,) = analysed([rising("arm", 0.5, 1)], rival)
    assert {point.estimate.n for point in curve.points} == {200}
    with pytest.raises(ConfigError, match="elsewhere was asked none of the curve's items"):
        analysed([rising("arm", 0.5, 1)], Rival("elsewhere", {"other": 1.0}))


def test_the_better_arm_is_worth_labels():
    """A curve that is one doubling ahead saves as many labels as the other has used, on average over the band."""
    one, other = analysed([rising("ahead", 0.6, 1), rising("behind", 0.5, 1)])
    worth = one.worth[0]
    assert worth.over == "behind"
    assert 10 < worth.labels.low < worth.labels.value < worth.labels.high < 45
    assert other.worth[0].labels.value == pytest.approx(-worth.labels.value)


def test_groups_widen_the_interval():
    """Copies of ten items, thirty each, tell what ten items tell: the interval is wider than items alone give."""
    ten = np.random.default_rng(3).random((4, 4, 10)) < 0.7
    copies = Learnt("arm", SIZES, np.repeat(ten, 30, axis=2), ITEMS)
    (alone,) = analysed([copies])
    (grouped,) = analysed([copies], groups={item: str(i // 30) for i, item in enumerate(ITEMS)})
    width = [curve.points[-1].estimate.high - curve.points[-1].estimate.low for curve in (alone, grouped)]
    assert width[1] > 1.3 * width[0]
    assert grouped.points[-1].estimate.value == pytest.approx(alone.points[-1].estimate.value)


def test_without_a_rival_there_is_a_guess_and_no_crossing():
    """Twice the largest size, as a band."""
    (curve,) = analysed([rising("arm", 0.5, 1)])
    assert (curve.crossover, curve.level, curve.rival) == (None, None, None)
    assert curve.guess.n_labels == 160
    assert curve.guess.estimate.low < curve.guess.estimate.high


@pytest.mark.parametrize(("seeds", "said"), [(1, ", of 1 draw: too narrow"), (2, ", of 2 draws: too narrow"), (3, "")])
def test_a_crossing_of_few_draws_says_that_its_interval_is_too_narrow(seeds, said):
    """Three draws of the training labels carry an interval, fewer do not."""
    drawn = rising("arm", 0.5, 1)
    rng = np.random.default_rng(7)
    rival = Rival("prompt:v1", {item: float(rng.random() < 0.7) for item in ITEMS})
    (curve,) = analysed([replace(drawn, credit=drawn.credit[:seeds])], rival)
    assert curve.crossover.seeds == seeds
    printed = curves.crossed_between(curve.crossover)
    assert printed.endswith(said)
    assert ("too narrow" in printed) == (seeds < 3)

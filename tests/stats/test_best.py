"""Claims about the best of several arms: a published example, one test alone, and errors by simulation."""

import numpy as np
import pytest
import scipy

from harness.stats import best, multiplicity, noninferiority, pairwise
from harness.stats.paired import Table2x2

TRAPS = {  # cereal leaf beetles caught by boards of four colours (Wilson and Shade 1967; Hsu 1996)
    "blue": (16, 11, 20, 21, 14, 7),
    "green": (37, 32, 15, 25, 39, 41),
    "white": (21, 12, 14, 17, 13, 17),
    "yellow": (45, 59, 48, 46, 38, 47),
}
DUNNETT = 2.19  # one-sided 5% point, three comparisons with a control, 20 degrees of freedom (Dunnett 1955)


def test_multiple_comparisons_with_the_best():
    """Hsu's intervals: yellow is 0 to 24.24 ahead of the best other, green -24.24 to 0, white -40.08, blue -40.91."""
    counts = np.array(list(TRAPS.values()), dtype=float)
    means, deviation = counts.mean(axis=1), np.sqrt(counts.var(axis=1, ddof=1).mean())
    allowance = DUNNETT * deviation * np.sqrt(2 / 6)
    assert deviation == pytest.approx(6.784, abs=0.001)
    found = best.limits(means[:, None] - means[None, :] - allowance)
    np.testing.assert_allclose(found.low, [-40.91, -24.24, -40.08, 0], atol=0.01)
    np.testing.assert_allclose(found.high, [0, 0, 0, 24.24], atol=0.01)
    assert found.may_be_best.tolist() == [False, False, False, True]


@pytest.mark.parametrize("only_b", range(0, 12))
def test_two_arms_are_one_test(only_b):
    """With two arms there is nothing to choose: Tango's test at 2.5%."""
    table = Table2x2(180 - only_b, 8, only_b, 12)
    scores = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [table.both, 8, only_b, 12], axis=0).astype(float)
    found = best.close(pairwise.units(scores).weighed(), 0.02)
    _, p_value = noninferiority.tango_test(table, 0.02)
    assert found[0] == (p_value <= 0.025)


def test_the_step_down_is_holms():
    """Where no test is hopeless, exactly Holm's at nine tenths of alpha; hopeless ones are not counted."""
    z = np.array([3.0, 2.6, 2.1, 0.5])
    p_values = scipy.special.ndtr(-z)
    assert best.shown(z).tolist() == [p <= 0.0225 for p in multiplicity.holm(list(p_values))]
    assert best.shown(np.array([2.1, -9, -9, -9])).tolist() == [True, False, False, False]
    assert best.shown(np.array([2.1, -1, -1, -1])).tolist() == [False, False, False, False]
    assert best.shown(np.array([1.97])).tolist() == [True]


def test_being_far_ahead_of_one_arm_is_not_being_close_to_the_best():
    """An arm has to be close to whichever arm is the best."""
    z = np.array([[0.0, 9.0, -3.0], [-9.0, 0.0, -9.0], [9.0, 9.0, 0.0]])
    assert best.passed(z).all(axis=-1).tolist() == [False, False, True]


@pytest.mark.parametrize("tests", [1, 5, 30])
def test_shown_keeps_alpha_wherever_the_truth_lies(tests):
    """Normal z-values, all at the boundary, or some far behind it: 2.5% and two standard errors (4,000 draws)."""
    rng = np.random.default_rng(tests)
    for behind in (0.0, 2.0, 4.0, 6.0):
        truth = np.where(np.arange(tests) % 2 == 1, -behind, 0.0)
        shared = rng.normal(size=(4000, 1))
        z = np.sqrt(0.5) * rng.normal(size=(4000, tests)) + np.sqrt(0.5) * shared + truth
        assert best.shown(z).any(axis=-1).mean() <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / 4000)


def test_equal_arms_are_rarely_told_apart():
    """Twelve arms of the same accuracy: any pair is shown to differ in at most 5% (and two standard errors of 400)."""
    rng, shown = np.random.default_rng(0), 0
    for _ in range(400):
        hard = rng.normal(size=(300, 1))
        scores = (np.sqrt(0.5) * hard + np.sqrt(0.5) * rng.normal(size=(300, 12)) < 0.84).astype(float)
        shown += best.ahead(pairwise.units(scores).weighed()).any()
    assert shown / 400 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)


def test_one_arm_has_no_rival():
    """Alone it is the best; nothing is ahead of it."""
    alone = pairwise.units(np.ones((5, 1))).weighed()
    assert best.close(alone, 0.02).tolist() == [True]
    assert not best.ahead(alone).any()

"""A model that changed is told from one that answers at random."""

import numpy as np
import pytest
from scipy import stats

from harness.stats.recheck import change


def test_the_exact_test_by_hand():
    """Fifteen items that moved and stayed so: the old answer is the odd one of three fifteen times."""
    old, new = ["a"] * 300, ["b"] * 15 + ["a"] * 285
    found = change(old, new, new)
    assert (found.n, found.moved, found.unsteady) == (300, 15, 0)
    assert found.p_value == pytest.approx(stats.binomtest(15, 15, 1 / 3, alternative="greater").pvalue)
    assert change(old, old, old).p_value == 1.0


def test_a_random_model_is_not_called_changed():
    """Draws of one distribution, 300 items: at a rate of .01 it is called changed in at most that many of 2,000."""
    rng = np.random.default_rng(0)
    times = [
        change(*(rng.choice(["a", "b", "c"], 300, p=[0.6, 0.3, 0.1]).tolist() for _ in range(3))).p_value <= 0.01
        for _ in range(2_000)
    ]
    assert np.mean(times) <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / 2_000)


def test_one_in_twenty_is_found():
    """A model that is a little random and answers 5% of items otherwise is found by 300 items five times in six."""
    rng = np.random.default_rng(1)
    times = []
    for _ in range(200):
        steady = rng.random((3, 300)) < 0.99
        answers = np.where(steady, "a", "b")
        moved = rng.random(300) < 0.05
        old = np.where(moved, "c", answers[0])
        times.append(change(old.tolist(), answers[1].tolist(), answers[2].tolist()).p_value <= 0.01)
    assert np.mean(times) > 0.85

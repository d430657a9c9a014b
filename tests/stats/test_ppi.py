"""Few gold labels and many judged ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.ppi import ppi_mean

GOLD, JUDGED = [1, 0, 1, 1, 0, 1, 0, 1, 1, 1], [1, 0, 1, 0, 0, 1, 1, 1, 1, 1]
FURTHER = [1, 0] * 30 + [1] * 20


def test_the_judge_at_its_word():
    """With full trust the mean and its interval are those of the published estimator."""
    found = ppi_mean(GOLD, JUDGED, FURTHER, trust=1)
    assert (found.value, found.low, found.high) == pytest.approx((0.625, 0.328211, 0.921789), abs=1e-6)


def test_the_trust_with_the_smallest_variance():
    """With tuned trust the figures are those of the published implementation."""
    found = ppi_mean(GOLD, JUDGED, FURTHER)
    assert (found.value, found.low, found.high) == pytest.approx((0.668772, 0.420944, 0.916600), abs=1e-6)


@pytest.mark.parametrize("trust", [0.0, None])
def test_without_further_items_the_judge_does_not_count(trust):
    """Then the mean is that of the gold labels, with the plain normal interval."""
    found = ppi_mean(GOLD, JUDGED, [], trust=trust)
    margin = 1.959964 * np.sqrt(0.7 * 0.3 / 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.7 - margin, 0.7 + margin), abs=1e-6)


def test_too_little_gold():
    """Without gold labels there is no value, with one of them no interval."""
    assert ppi_mean([], [], FURTHER).value is None
    alone = ppi_mean([1], [1], FURTHER)
    assert (alone.value, alone.low, alone.high) == (1.0, None, None)


def test_values_of_the_same_items():
    """People's and the judge's values come in pairs."""
    with pytest.raises(ValueError, match="3 gold values and 2 judged"):
        ppi_mean([1, 0, 1], [1, 0], FURTHER)


@pytest.mark.parametrize("judged", [0, 1])
def test_a_judge_that_always_says_the_same(judged):
    """It carries nothing, and the gold labels stand alone."""
    found = ppi_mean(GOLD, [judged] * 10, [judged] * 80)
    assert found.value == pytest.approx(0.7)
    assert found.low < 0.7 < found.high


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40), st.floats(0, 1))
def test_a_constant_added_to_the_judge_changes_nothing(pairs, shift):
    """A biased judge is corrected: what it adds to every item falls out."""
    gold, judged = np.array(pairs, dtype=float).T
    plain = ppi_mean(gold, judged, FURTHER)
    moved = ppi_mean(gold, judged + shift, np.array(FURTHER) + shift)
    assert moved.value == pytest.approx(plain.value, abs=1e-9)
    assert moved.low == pytest.approx(plain.low, abs=1e-9)


def test_coverage_and_width():
    """95% intervals hold the truth in 95% of 2,000 draws, and are narrower than gold's own."""
    rng, covered, narrower, draws, n = np.random.default_rng(5), 0, 0, 2000, 100
    for _ in range(draws):
        truth = rng.random(n + 900) < 0.8
        judge = np.where(rng.random(n + 900) < 0.9, truth, ~truth)
        found = ppi_mean(truth[:n], judge[:n], judge[n:])
        alone = ppi_mean(truth[:n], judge[:n], [])
        covered += found.low <= 0.8 <= found.high
        narrower += found.high - found.low < alone.high - alone.low
    assert 0.93 <= covered / draws <= 0.965
    assert narrower / draws > 0.95

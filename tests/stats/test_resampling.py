import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.resampling import paired_permutation

# Darwin's fifteen pairs of maize, in eighths of an inch (Fisher 1935, section 21).
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48.0])


def p(a, b=None, seed=0):
    a = np.asarray(a, dtype=float)
    return paired_permutation(a, np.zeros_like(a) if b is None else b, rng=np.random.default_rng(seed))


def test_fishers_own_count():
    """1,726 of the 32,768 exchanges are as extreme."""
    assert p(DARWIN) == 1726 / 32768


def test_draws_come_near_the_count():
    """Five more pairs that cancel out leave too many exchanges to go through; the estimate is within its error."""
    many = np.concatenate([DARWIN, [1, -1, 1, -1, 1, -1]])
    exact = p(DARWIN)
    assert p(many) == pytest.approx(exact, abs=0.01)
    assert p(np.ones(40)) == pytest.approx(1 / 10_000)  # never 0


@settings(max_examples=40)
@given(st.lists(st.integers(-3, 3), max_size=14))
def test_exchanging_the_arms_changes_nothing(differences):
    """p is in (0, 1], the same from both sides, and pairs that do not differ do not count."""
    a = np.array(differences, dtype=float)
    found = p(a)
    assert 0 < found <= 1
    assert found == p(-a) == p(np.concatenate([a, np.zeros(3)]))


def test_the_test_keeps_its_size():
    """Without a difference, at most about one experiment in twenty has p <= .05."""
    rng = np.random.default_rng(1)
    false_alarms = sum(p(rng.choice([-1, 0, 0, 1], size=12)) <= 0.05 for _ in range(600))
    assert false_alarms / 600 <= 0.07

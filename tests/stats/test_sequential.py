import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import bdtr

from harness.stats.sequential import Race, e_value

RUNS, LOOKS, ALPHA = 4_000, 400, 0.05


@pytest.mark.parametrize(
    ("only_a", "only_b", "expected"),
    [(10, 2, 4.7739), (12, 2, 12.0029), (16, 6, 2.4441), (7, 0, 16.0), (8, 0, 28.4444), (9, 0, 51.2), (0, 0, 1.0)],
)
def test_values_by_hand(only_a, only_b, expected):
    """To the printed digits, the same for both arms."""
    assert round(e_value(only_a, only_b), 4) == expected
    assert e_value(only_b, only_a) == e_value(only_a, only_b)


@given(st.integers(0, 200), st.integers(0, 200))
def test_it_is_a_martingale_under_a_fair_coin(only_a, only_b):
    """The mean of what the next item can make of it is what it is: no betting system wins."""
    after = (e_value(only_a + 1, only_b) + e_value(only_a, only_b + 1)) / 2
    assert after == pytest.approx(e_value(only_a, only_b), rel=1e-9)


def test_huge_evidence_is_no_overflow():
    """Infinite rather than an error."""
    assert e_value(5000, 0) == float("inf")
    assert Race(5000, 0, 5000, float("inf")).p_value == 0.0


def test_looking_after_every_item_raises_no_more_false_alarms():
    """Two equal arms, a look after each of 400 items on which they differ: at most 5%; repeated tests, 35%."""
    rng = np.random.default_rng(7)
    wins = np.cumsum(rng.random((RUNS, LOOKS)) < 0.5, axis=1)
    n = np.arange(1, LOOKS + 1)
    table = np.array([[e_value(k, m - k) if k <= m else 0.0 for m in n] for k in range(LOOKS + 1)])
    evidence = table[wins, n - 1]
    exact = np.minimum(1, 2 * bdtr(np.minimum(wins, n - wins), n, 0.5))
    assert 0.02 < np.mean((evidence >= 1 / ALPHA).any(axis=1)) <= ALPHA
    assert 0.30 < np.mean((exact <= ALPHA).any(axis=1)) < 0.40


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_a_race_counts_pairs_and_never_forgets(pairs):
    """Wins and items are counted; p never rises; exchanging the arms exchanges the leader."""
    race, mirrored, p = Race(), Race(), 1.0
    for a, b in pairs:
        race, mirrored = race.after(a, b), mirrored.after(b, a)
        assert race.p_value <= p
        p = race.p_value
    assert race.n == len(pairs)
    assert race.only_a == sum(a and not b for a, b in pairs)
    assert (race.leader(), mirrored.leader()) in ((None, None), ("a", "b"), ("b", "a"))


def test_the_leader_is_named_when_the_evidence_is_there():
    """Eight wins in a row are 28 to 1; seven are 16, which is not 20."""
    race = Race()
    for _ in range(7):
        race = race.after(1.0, 0.0)
    assert race.leader() is None
    assert race.after(1.0, 0.0).leader() == "a"

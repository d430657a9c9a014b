"""Bets whose wealth cannot grow if the hypothesis holds: closed forms, exhaustive trees, simulations."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from harness.stats import wealth
from harness.stats.wealth import FIRST_START, STAKES, START_EVERY, WEIGHTS


def test_the_first_bets_by_hand():
    """Before others begin, the wealth is the weighted product of 1 + stake x difference, and the rest in hand."""
    differences = np.array([0.9, -0.1, 0.9])
    stakes = STAKES / 0.1
    by_hand = FIRST_START * WEIGHTS @ np.prod(1 + np.outer(stakes, differences), axis=1) + 1 - FIRST_START
    assert np.exp(wealth.mean_above(differences, -0.1)[-1]) == pytest.approx(by_hand)
    assert wealth.mean_above(np.zeros(0), -0.1).shape == (0,)


@pytest.mark.parametrize("p", [0.5, 0.8, 0.9])
def test_wealth_is_1_on_average_at_the_edge(p):
    """Over every outcome of ten items whose accuracy is the promised one, the mean wealth is 1 at each step."""
    paths = np.array(list(product([0, 1], repeat=10)), dtype=np.float64)
    chances = np.prod(np.where(paths == 1, p, 1 - p), axis=1)
    ends = np.array([np.exp(wealth.mean_above(p - path, p - 1)) for path in paths])
    assert chances @ ends == pytest.approx(np.ones(10))


def test_all_starts_together_stake_less_than_everything():
    """However many starts come, their shares add up to at most 1, and are all positive."""
    for n in (1, 2, 81, 5_000):
        shares = wealth.start_weights(n)
        assert (shares > 0).all()
        assert shares.sum() <= 1 + 1e-12


def test_a_loss_that_comes_late_is_found():
    """After 5,000 good items, ten points less give an alarm within 500."""
    rng = np.random.default_rng(1)
    right = np.concatenate([rng.random(5_000) < 0.9, rng.random(1_000) < 0.8])
    at = wealth.first_alarm(wealth.mean_above(0.9 - right, -0.1), 0.01)
    assert 5_000 < at < 5_500
    assert START_EVERY < 500


@pytest.mark.parametrize("few", [True, False])
def test_conformal_p_values_by_counting(few):
    """A p-value is the share of values that are greater, ties by lot: for few levels and for many."""
    rng = np.random.default_rng(2)
    n = 2 if few else 1_000
    reference, stream = (rng.integers(0, n, size).astype(float)[:, None] for size in (40, 60))
    found = wealth.conformal_p(reference, stream, np.random.default_rng(3))[:, 0]
    draws = np.random.default_rng(3).random((60, 1))[:, 0]
    for step, value in enumerate(stream[:, 0]):
        known = np.concatenate([reference[:, 0], stream[: step + 1, 0]])
        by_hand = ((known > value).sum() + draws[step] * (known == value).sum()) / len(known)
        assert found[step] == pytest.approx(by_hand)


def test_conformal_p_values_are_uniform():
    """Of exchangeable items they are uniform, also of two levels alone."""
    rng = np.random.default_rng(4)
    columns = np.column_stack([rng.normal(size=3_000), rng.random(3_000) < 0.1])
    found = wealth.conformal_p(columns[:500], columns[500:], rng)
    for column in found.T:
        assert stats.kstest(column, "uniform").pvalue > 0.001


def test_a_change_is_found_early_and_late():
    """A mean that moves by one deviation: from the first item of the stream, and after 2,000."""
    rng = np.random.default_rng(5)
    for quiet in (0, 2_000):
        stream = np.concatenate([rng.normal(size=quiet), rng.normal(1, size=500)])
        p_values = wealth.conformal_p(rng.normal(size=(500, 1)), stream[:, None], rng)
        at = wealth.first_alarm(wealth.not_exchangeable(p_values), 0.01)
        assert quiet < at < quiet + 200


@pytest.mark.sims
def test_no_change_gives_few_alarms():
    """Streams of 20,000, looked at after every item: the jumper and the bets on accuracy each keep their rate."""
    rng = np.random.default_rng(6)
    columns = 2_000
    logs = np.full(columns, -np.inf)
    for _ in range(20):  # the wealth of so many streams at once would fill the memory: their greatest is enough
        part = wealth.jumper(rng.random((20_000, columns // 20)))
        logs[: columns // 20] = part.max(axis=0)
        logs = np.roll(logs, columns // 20)
    assert (logs >= np.log(20)).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / columns)
    alarms = [
        wealth.first_alarm(wealth.mean_above(0.9 - (rng.random(20_000) < 0.9), -0.1), 0.05) is not None
        for _ in range(200)
    ]
    assert np.mean(alarms) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.sims
@pytest.mark.parametrize("promised", [0.95, 0.9, 0.8, 0.7, 0.6])
def test_ten_points_are_found_in_time(promised):
    """The median number of items is at most 1.5 times what the exact binomial test takes at 80% power."""
    rng = np.random.default_rng(7)
    for alpha in (0.05, 0.01):
        found = [
            wealth.first_alarm(wealth.mean_above(promised - (rng.random(900) < promised - 0.1), promised - 1), alpha)
            or 900
            for _ in range(200)
        ]
        assert np.median(found) <= 1.5 * items_of_the_exact_test(promised, alpha)


def items_of_the_exact_test(promised, alpha):
    """The fewest items with which the exact one-sided test finds ten points less with 80% power."""
    for n in range(5, 2_000):
        most = stats.binom.ppf(alpha, n, promised) - 1
        most += stats.binom.cdf(most + 1, n, promised) <= alpha
        if stats.binom.cdf(most, n, promised - 0.1) >= 0.8:
            return n
    return None

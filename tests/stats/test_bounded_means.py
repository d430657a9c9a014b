"""Which interval the mean of credits has: it keeps its coverage at 30 items and near 1, and is not wide for it."""

import numpy as np
import pytest
from scipy import stats

from harness.stats import margins, means

N = 30
CREDITS = {
    "F1, mostly 1": ((1.0, 2 / 3, 0.0), (0.90, 0.05, 0.05)),
    "F1, near 1": ((1.0, 0.5), (0.97, 0.03)),
    "F1, spread": ((0.0, 0.4, 0.5, 2 / 3, 0.8, 1.0), (0.2, 0.1, 0.1, 0.2, 0.1, 0.3)),
    "errors on a scale, small": ((0.99, 0.95, 0.9), (0.6, 0.3, 0.1)),
    "right or wrong at times": ((0.98, 0.0), (0.96, 0.04)),
}


def coverage(interval, values, shares, draws, rng):
    """How often an interval holds the true mean, and how wide it is."""
    truth = float(np.dot(values, shares))
    ends = np.array([interval(rng.choice(values, N, p=shares)) for _ in range(draws)])
    held = (ends[:, 0] <= truth + 1e-12) & (truth - 1e-12 <= ends[:, 1])
    return held.mean(), (ends[:, 1] - ends[:, 0]).mean()


def wilson(sample):
    found = margins.share(sample, np.arange(N), name="credit")
    return found.low, found.high


def student(sample):
    found = means.mean(sample)
    return found.low, found.high


def clopper(sample):
    total = float(sample.sum())
    low = stats.beta.ppf(0.025, total, N - total + 1) if total > 0 else 0.0
    return low, stats.beta.ppf(0.975, total + 1, N - total) if total < N else 1.0


@pytest.mark.parametrize("name", list(CREDITS))
def test_the_interval_of_credits_keeps_its_coverage(name):
    """Wilson's interval at what the items are worth covers 95% at 30 items, also near 1, and beats Clopper's width."""
    values, shares = CREDITS[name]
    rng = np.random.default_rng(7)
    covered, width = coverage(wilson, values, shares, 400, rng)
    assert covered >= 0.93
    _, of_clopper = coverage(clopper, values, shares, 100, rng)
    assert width <= of_clopper


def test_students_interval_does_not():
    """Student's t on the same credits holds the mean far less often than it says: near 1 most samples vary little."""
    values, shares = CREDITS["F1, near 1"]
    covered, _ = coverage(student, values, shares, 400, np.random.default_rng(7))
    assert covered < 0.80


def test_micro_f1_keeps_its_coverage():
    """Micro-F1 as a share of members in items: the interval holds the true ratio at 30 items of 0 to 4 labels."""
    rng = np.random.default_rng(11)

    def drawn(n):
        gold = rng.integers(0, 4, n)
        is_bad = rng.random(n) < 0.15  # a bad item loses and invents labels together
        both = np.where(is_bad, rng.binomial(gold, 0.4), rng.binomial(gold, 0.97))
        return both, gold, both + np.where(is_bad, rng.integers(0, 3, n), 0)

    both, gold, answer = drawn(400_000)
    truth = 2 * both.sum() / (gold.sum() + answer.sum())
    held = []
    for _ in range(400):
        both, gold, answer = drawn(N)
        members = gold + answer
        worth = np.divide(2 * both, members, out=np.zeros(N), where=members > 0)
        found = margins.share(np.repeat(worth, members), np.repeat(np.arange(N), members), name="micro_f1")
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) >= 0.93

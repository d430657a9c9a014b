"""What is said of a lead beyond a margin, or of a share beyond a limit, is false as seldom as promised: enumerated."""

import numpy as np
import pytest
import scipy

from harness.stats import shares, tails
from harness.stats.pairwise import Pairwise

LEVELS = (0.025, 0.025 / 6, 0.025 / 28, 0.025 / 435)  # two, four, eight and thirty arms
ONLY_B = (0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4)


def every_table(n):
    wins, losses = np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij")
    is_one = wins + losses <= n
    return wins[is_one], losses[is_one]


def probabilities(n, wins, losses, only_a, only_b):
    ways = scipy.special.gammaln([n + 1]) - sum(scipy.special.gammaln(x + 1) for x in (wins, losses, n - wins - losses))
    logs = (scipy.special.xlogy(wins, only_a), scipy.special.xlogy(losses, only_b))
    return np.exp(ways + sum(logs) + scipy.special.xlogy(n - wins - losses, 1 - only_a - only_b))


def counted(n, wins, losses):
    of = np.full_like(wins, n)
    return Pairwise(of, wins, losses, np.ones_like(of), of, is_exact=True)


def wrong(z, n, wins, losses, margin, level):
    """How often it is said of a true lead of just the margin that it is more, at the worst disagreement."""
    said = z >= -scipy.special.ndtri(level)
    worst = [probabilities(n, wins, losses, only_b + margin, only_b)[said].sum() for only_b in ONLY_B]
    return float(max(worst))


@pytest.mark.parametrize("n", [50, 120])
@pytest.mark.parametrize("margin", [0.0, 0.01, 0.02, 0.05, 0.1])
def test_a_lead_beyond_the_margin_is_said_no_oftener_than_promised(n, margin):
    """For two arms and for thirty: at every level that the correction for many arms uses."""
    wins, losses = every_table(n)
    z = counted(n, wins, losses).z_of_more(margin)
    assert all(wrong(z, n, wins, losses, margin, level) <= level for level in LEVELS)


def test_the_score_test_alone_says_so_oftener():
    """What the tail is for: .041 instead of .025 in hundreds of items, and 2.9 times a small level."""
    wins, losses = every_table(300)
    pairs = counted(300, wins, losses)
    assert wrong(pairs.z(0.02), 300, wins, losses, 0.02, LEVELS[0]) > 0.038
    assert wrong(pairs.z(0.05), 300, wins, losses, 0.05, LEVELS[2]) > 2.5 * LEVELS[2]
    assert wrong(pairs.z_of_more(0.02), 300, wins, losses, 0.02, LEVELS[0]) <= LEVELS[0]
    assert wrong(pairs.z_of_more(0.05), 300, wins, losses, 0.05, LEVELS[2]) <= LEVELS[2]


def test_it_never_says_more_than_the_score_test():
    """Where the score test is the stricter one, as far out, it stays."""
    wins, losses = every_table(40)
    pairs = counted(40, wins, losses)
    assert (pairs.z_of_more(0.02) <= pairs.z(0.02)).all()


@pytest.mark.parametrize("n", [1, 30, 500])
@pytest.mark.parametrize(("up", "down"), [(0.3, 0.1), (0.05, 0.02), (0.02, 0.0)])
def test_the_tail_is_that_of_the_sum(n, up, down):
    """Against the convolution of n steps: within 15% of the exact tail, down to one in a million."""
    steps = np.array([1.0])
    for _ in range(n):
        steps = np.convolve(steps, [down, 1 - up - down, up])
    exact = np.cumsum(steps[::-1])[::-1]
    totals = np.arange(-n, n + 1)
    asked = (totals > n * (up - down) + 1) & (exact > 1e-6)
    z = tails._signed_root(np.full(2 * n + 1, float(n)), np.full(2 * n + 1, up), np.full(2 * n + 1, down), totals - 0.5)
    found = scipy.special.ndtr(-z[asked])
    assert np.allclose(found, exact[asked], rtol=0.15)


@pytest.mark.parametrize("n", [20, 50, 300])
@pytest.mark.parametrize("least", [0.5, 0.8, 0.95, 0.99])
def test_a_share_beyond_a_limit_is_said_no_oftener_than_promised(n, least):
    """A true share of just the limit is said to keep it, or to break it, at most as often as the level."""
    right = np.arange(n + 1.0)
    chance = scipy.stats.binom.pmf(right, n, least)
    found = shares.Shares(right / n, np.full(n + 1, n), np.full(n + 1, n), np.full(n + 1, n), is_exact=True).z(least)
    for level in LEVELS:
        limit = -scipy.special.ndtri(level)
        assert chance[found >= limit].sum() <= level * (1 + 1e-9)
        assert chance[found <= -limit].sum() <= level * (1 + 1e-9)

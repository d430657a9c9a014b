"""All pairs at once are each pair alone, and weights are repetitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats import margins, paired, pairwise, shares
from harness.stats.paired import Table2x2


def draws(seed, n=90, arms=4):
    return (np.random.default_rng(seed).random((n, arms)) < [0.5, 0.7, 0.75, 0.95][:arms]).astype(float)


@settings(max_examples=10)
@given(st.integers(0, 1000))
def test_single_items_have_the_exact_tests_of_pairs(seed):
    """McNemar's mid-P and Tango's interval, entry by entry; an arm differs from itself by nothing."""
    scores = draws(seed)
    found = pairwise.units(scores).weighed()
    low, high = found.limits(0.025)
    for a in range(4):
        for b in range(4):
            table = Table2x2.of(scores[:, a] > 0, scores[:, b] > 0)
            expected = paired.tango(table)
            assert (low[a, b], high[a, b]) == pytest.approx((expected.low, expected.high), abs=1e-9)
            assert found.p_of_no_difference()[a, b] == pytest.approx(paired.mcnemar_mid_p(table))
            assert found.difference[a, b] == pytest.approx(table.difference)


@pytest.mark.parametrize("repeats", [1, 3])
def test_clusters_have_the_score_test_of_margins(repeats):
    """Groups, and item means over repeats: the p-values and the interval of `margins.evidence`."""
    scores = np.mean([draws(seed) for seed in range(repeats)], axis=0)
    codes = np.arange(90) % 30
    found = pairwise.units(scores, codes).weighed()
    low, high = found.limits(0.025)
    for a, b in ((0, 1), (2, 1), (3, 0)):
        one = margins.evidence(scores[:, a] - scores[:, b], codes)
        assert (low[a, b], high[a, b]) == pytest.approx((one.difference.low, one.difference.high), abs=1e-9)
        assert found.z(-0.05)[a, b] == pytest.approx(-_z(one.p_of_no_worse(0.05)), abs=1e-6)


def _z(p):
    return paired.NormalDist().inv_cdf(p)


@pytest.mark.parametrize("clusters", [None, np.arange(60) // 3])
def test_a_weight_is_so_many_of_the_same(clusters):
    """Weights of 0, 1 and 2 are the units left out, as they are, and twice."""
    scores = draws(3, 60)
    codes = np.arange(60) if clusters is None else clusters
    units = len(np.unique(codes))
    times = np.random.default_rng(0).integers(0, 3, units)
    rows = np.concatenate([np.flatnonzero(codes == unit) for unit in range(units) for _ in range(times[unit])])
    names = np.concatenate([[f"{u} {t}"] * int((codes == u).sum()) for u in range(units) for t in range(times[u])])
    again = None if clusters is None else np.unique(names, return_inverse=True)[1]
    weighed = pairwise.units(scores, clusters).weighed(np.stack([times, np.ones(units)]))
    for row, whole in (
        (0, pairwise.units(scores[rows], again).weighed()),
        (1, pairwise.units(scores, clusters).weighed()),
    ):
        np.testing.assert_allclose(weighed.z(-0.02)[row], whole.z(-0.02), atol=1e-6)
        np.testing.assert_allclose(weighed.limits(0.01)[0][row], whole.limits(0.01)[0], atol=1e-6)
    share = shares.shares(scores, clusters, times)
    np.testing.assert_allclose(share.mean, scores[rows].mean(axis=0))


def test_lost_items_are_bounded_by_hand():
    """Two of five items of a failed. Both wrong: 1 of 5 against 3; both right: 3 of 5 against 3 (Manski 1990)."""
    a, b = np.array([1, 0, 0, np.nan, np.nan]), np.array([1, 1, 0, 1, 0.0])
    scores = np.column_stack([a, b])
    found = pairwise.bounded(scores, np.isnan(scores)).weighed()
    assert found.difference[0, 1] == pytest.approx((1 - 3) / 5)
    assert -found.difference[1, 0] == pytest.approx((3 - 3) / 5)
    assert pairwise.units(scores).weighed().difference[0, 1] == pytest.approx((1 - 2) / 3)


def test_shares_are_those_of_margins():
    """Wilson's interval where items stand alone, and at what the clusters are worth where they do not."""
    scores = draws(1)
    for codes in (None, np.arange(90) // 5):
        low, high = shares.shares(scores, codes).limits()
        for arm in range(4):
            one = margins.share(scores[:, arm], np.arange(90) if codes is None else codes, name="x")
            assert (low[arm], high[arm]) == pytest.approx((one.low, one.high))


def test_nothing_in_common_says_nothing():
    """No shared item: no difference, the whole range, no test."""
    scores = np.array([[1, np.nan], [np.nan, 0.0]])
    found = pairwise.units(scores).weighed()
    assert np.isnan(found.difference[0, 1])
    assert (found.limits(0.025)[0][0, 1], found.limits(0.025)[1][0, 1], found.z(-0.02)[0, 1]) == (-1, 1, 0)

"""Paired scores against a margin: the score test where items stand alone, and honest where they do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats import margins, noninferiority, paired
from harness.stats.paired import Table2x2
from harness.stats.quantiles import least_n, quantile

cells = st.integers(0, 40)


def differences(table):
    return [1] * table.only_a + [-1] * table.only_b + [0] * (table.both + table.neither)


@settings(max_examples=50)
@given(st.builds(Table2x2, cells, cells, cells, cells).filter(lambda t: t.n > 0), st.floats(0.005, 0.3))
def test_single_items_are_tangos_test(table, margin):
    """Every item asked once and on its own: exactly the p and the interval of the score test."""
    found = margins.evidence(differences(table), range(table.n))
    _, p_value = noninferiority.tango_test(table, margin)
    interval = paired.tango(table)
    assert found.p_of_no_worse(margin) == pytest.approx(p_value)
    assert found.p_of_worse(margin) >= 1 - p_value - 1e-9  # never more than the tail of the counts: see tails
    assert (found.difference.low, found.difference.high) == pytest.approx((interval.low, interval.high))


def test_the_interval_agrees_with_the_tests():
    """With clusters too, an end of the interval lies beyond the margin exactly when its test says so."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        codes = np.repeat(np.arange(30), 3)
        found = margins.evidence(rng.choice([-1, 0, 1], p=[0.1, 0.85, 0.05], size=90), codes)
        assert (found.difference.low > -0.1) == (found.p_of_no_worse(0.1) < 0.025)
        assert (found.difference.high < -0.02) == (found.p_of_worse(0.02) < 0.025)


def test_agreement_in_few_clusters_is_little_evidence():
    """No disagreement on 400 items passes a margin of .02; in eight groups of 50 it is eight observations."""
    apart, together = (margins.evidence(np.zeros(400), codes) for codes in (range(400), np.arange(400) // 50))
    assert apart.p_of_no_worse(0.02) < 0.025
    assert together.p_of_no_worse(0.02) > 0.3
    assert together.difference.low < -0.3
    assert margins.evidence(np.zeros(400), np.zeros(400)).p_of_no_worse(0.02) == 0.5


@pytest.mark.parametrize(("groups", "size"), [(20, 5), (60, 5), (10, 30)])
@pytest.mark.parametrize("alike", [True, False])
def test_a_loss_at_the_margin_passes_rarely_in_clusters(groups, size, alike):
    """True loss exactly at the margin, groups that fail as one or in part: passes at most 2.5% (here 3.5% of 600)."""
    rng, codes, passed = np.random.default_rng(3), np.repeat(np.arange(groups), size), 0
    for _ in range(600):
        share = (rng.random(groups) < 0.1).astype(float) if alike else rng.beta(0.5, 4.5, size=groups)
        lost = rng.random((groups, size)) < share[:, None]
        gained = ~lost & (rng.random((groups, size)) < 0.05 / 0.9)
        found = margins.evidence((gained.astype(int) - lost).ravel(), codes)
        passed += found.p_of_no_worse(0.05) <= 0.025
    assert passed / 600 <= 0.035


def test_repeats_are_no_further_items():
    """Item means over repeats: fractional differences are taken, and the item stays the unit."""
    found = margins.evidence([0.5, -0.5, 0, 0, 1], range(5))
    assert (found.weights.n, found.weights.only_a, found.weights.only_b) == (5, 1.5, 0.5)
    assert found.clusters == 5
    assert found.difference.low < 0.2 < found.difference.high


def test_needed_n_without_disagreement_is_the_closed_form():
    """Where hardly anything disagrees, z² (1 - margin) / margin items are needed, 189 at .02."""
    found = margins.evidence(np.zeros(10**5), range(10**5))
    assert found.needed_n(0.02, 0.025, 0.9) == pytest.approx(189, rel=0.03)
    assert found.needed_n(0.02, 0.025, 0.9, difference=-0.02) is None


def test_no_items():
    """Nothing is known: no number, and no test speaks."""
    found = margins.evidence([], [])
    assert (found.difference.value, found.p_of_no_worse(0.1)) == (None, 0.5)
    assert margins.share([], [], name="x").value is None


def test_shares_in_clusters():
    """All right in four groups of 25 is four observations, not a hundred; single items are Wilson's."""
    single = margins.share([1] * 100, range(100), name="x")
    assert (single.low, single.method) == (pytest.approx(0.963, abs=0.001), "Wilson")
    grouped = margins.share([1] * 100, np.arange(100) // 25, name="x")
    assert grouped.low < 0.5
    assert grouped.high == 1.0


def test_the_quantiles_interval_covers():
    """At n 200 the interval of p95 covers the truth in at least 95% (2,000 draws), whatever the distribution."""
    rng, truth, covered = np.random.default_rng(0), np.exp(1.6449), 0
    for _ in range(2000):
        found = quantile(rng.lognormal(size=200), 0.95, name="p95")
        covered += found.low <= truth <= found.high
    assert covered / 2000 >= 0.945


def test_few_values_do_not_bound_a_quantile():
    """Below 72 values p95 has no upper end; no value, no number."""
    assert least_n(0.95) == 72
    assert quantile(range(71), 0.95, name="p95").high is None
    assert quantile(range(72), 0.95, name="p95").high is not None
    assert quantile([], 0.95, name="p95").value is None


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_share_of_sums_is_the_share(size, is_whole):
    """From sums over items and over groups the very interval that the scores give, shares of 1 or not."""
    rng = np.random.default_rng(size)
    scores = rng.integers(0, 2, 60).astype(float) if is_whole else rng.choice([0.0, 1 / 3, 1.0], 60)
    codes = np.arange(60) // size
    sums, sizes = np.bincount(codes, weights=scores), np.bincount(codes).astype(float)
    given = margins.GroupSums(float((sums**2).sum()), float(sums @ sizes), float(sizes @ sizes), len(sums))
    groups = given if size > 1 else None
    made = margins.share_of_sums(float(scores.sum()), float((scores**2).sum()), 60, groups=groups)
    expected = margins.share(scores, codes)
    assert (made.value, made.low, made.high) == pytest.approx((expected.value, expected.low, expected.high), abs=1e-12)

from math import ceil, inf
from statistics import NormalDist

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.stats.noninferiority import tango_test
from harness.stats.paired import mcnemar_asymptotic, mcnemar_exact, mcnemar_mid_p
from harness.stats.power import mde, needed_n, needed_n_within, true_power
from tests.stats.enumeration import probability

PLANS = [
    (0.25, 0.125, 0.90, 248.0, 248),
    (0.20, 0.10, 0.80, 233.1, 234),
    (0.10, 0.05, 0.80, 468.6, 469),
    (0.06, 0.04, 0.80, 1959.9, 1960),
]


@pytest.mark.parametrize(("p12", "p21", "power", "n", "whole"), PLANS)
def test_needed_n(p12, p21, power, n, whole):
    """Connor's (1987) formula: the MESS package's example and three plans of this product."""
    found = needed_n(p12 + p21, p12 - p21, power=power)
    assert (round(found, 1), ceil(found)) == (n, whole)


def test_needed_n_and_miller():
    """Miller (2024) plans 969 items for 3 points at a disagreement of 1/9, without Connor's small correction."""
    assert 966 < needed_n(1 / 9, 0.03) < 968.997


@pytest.mark.parametrize(
    ("n", "p12", "p21", "exact", "mid", "asymptotic"),
    [
        (248, 0.25, 0.125, 0.885, 0.903, 0.905),
        (234, 0.20, 0.10, 0.776, 0.807, 0.810),
        (469, 0.10, 0.05, 0.776, 0.807, 0.810),
    ],
)
def test_true_power(n, p12, p21, exact, mid, asymptotic):
    """At the planned n mid-P has the power asked for; the exact test falls 2 to 3 points short."""
    found = [true_power(n, p12, p21, test=test) for test in (mcnemar_exact, mcnemar_mid_p, mcnemar_asymptotic)]
    assert [round(power, 3) for power in found] == [exact, mid, asymptotic]
    assert true_power(n, p12, p21) == found[1]


@pytest.mark.parametrize("test", [mcnemar_exact, mcnemar_mid_p, mcnemar_asymptotic])
@pytest.mark.parametrize("alpha", [0.05, 0.6])
@pytest.mark.parametrize(("n", "p12", "p21"), [(1, 0.5, 0.5), (5, 0.3, 0.6), (40, 0.2, 0.0), (40, 0.3, 0.1)])
def test_true_power_adds_up_every_table(test, alpha, n, p12, p21):
    """The shortcut through the discordant items gives the sum over all tables, at any alpha."""
    expected = probability(lambda table: test(table) <= alpha, n, p12, p21)
    assert true_power(n, p12, p21, test=test, alpha=alpha) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n", [20, 100, 400, 1000])
@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_size(n, share):
    """Between equal arms the exact test stays below 5%, mid-P at about 5% and never above 5.1%."""
    exact, mid = true_power(n, share, share, test=mcnemar_exact), true_power(n, share, share)
    assert exact <= mid <= 0.051
    assert exact <= 0.05
    if n * share >= 50:
        assert mid >= 0.045


@given(st.floats(0.01, 1), st.floats(0.01, 1), st.sampled_from([0.01, 0.05, 0.1]), st.sampled_from([0.5, 0.8, 0.95]))
def test_mde_undoes_needed_n(disagreement, part, alpha, power):
    """The difference that needs n items is the one that n items show."""
    difference = disagreement * part
    n = needed_n(disagreement, difference, alpha, power)
    assume(n < 1e7)
    assert needed_n(disagreement, -difference, alpha, power) == n
    whole = ceil(n)
    smallest = mde(whole, disagreement, alpha, power)
    assert smallest is not None
    assert smallest <= difference + 1e-9
    assert needed_n(disagreement, smallest, alpha, power) == pytest.approx(whole, rel=1e-6)


@given(st.integers(1, 5000), st.floats(0.01, 1))
def test_more_items_show_less(n, disagreement):
    """More items show smaller differences; more disagreement hides larger ones."""
    here, more = mde(n, disagreement), mde(n + 1, disagreement)
    if here is not None:
        assert 0 < more < here <= disagreement
        quieter = mde(n, disagreement / 2)
        assert quieter is None or quieter < here


@pytest.mark.parametrize(("n", "disagreement"), [(0, 0.2), (1, 0.2), (3, 1.0), (20, 0.05), (1000, 0.0)])
def test_too_few_items(n, disagreement):
    """No difference within the disagreement would be found: None, not a number above it."""
    assert mde(n, disagreement) is None


@pytest.mark.parametrize("disagreement", [0.0, 0.1])
def test_no_difference(disagreement):
    """No number of items finds a difference of 0."""
    assert needed_n(disagreement, 0.0) == inf


@pytest.mark.parametrize(("disagreement", "difference"), [(0.05, 0.1), (0.05, -0.1), (1.2, 0.1), (float("nan"), 0.1)])
def test_impossible_plans(disagreement, difference):
    """Arms cannot differ by more than they disagree, nor disagree on more than all items."""
    with pytest.raises(ValueError, match="at most the share they disagree on"):
        needed_n(disagreement, difference)


@pytest.mark.parametrize(("p12", "p21"), [(-0.1, 0.2), (0.2, -0.1), (0.6, 0.5), (float("nan"), 0.1)])
def test_impossible_shares(p12, p21):
    """Shares of the items are not negative and do not add up to more than all."""
    with pytest.raises(ValueError, match="at most 1"):
        true_power(100, p12, p21)


def test_certain_win():
    """An arm that wins every item is found out, given enough items for the test to reject at all."""
    assert true_power(9, 1.0, 0.0) == pytest.approx(1)
    assert true_power(4, 1.0, 0.0) == 0


def test_nothing_to_find():
    """Without items, with one, and between arms that never disagree, the power is 0."""
    assert true_power(0, 0.2, 0.1) == true_power(1, 0.2, 0.1) == true_power(100, 0.0, 0.0) == 0


@pytest.mark.parametrize(
    ("disagreement", "margin", "difference"), [(0.2, 0.1, 0.0), (0.1, 0.05, 0.0), (0.3, 0.1, 0.04)]
)
def test_the_items_for_a_margin_have_the_power_they_promise(disagreement, margin, difference):
    """At that many items the score test passes in 80% of all tables, within two points (exact enumeration)."""
    n = ceil(needed_n_within(disagreement, margin, difference))
    wins, limit = (disagreement + difference) / 2, NormalDist().inv_cdf(0.975)
    passes = probability(lambda table: tango_test(table, margin)[0] > limit, n, wins, disagreement - wins)
    assert passes == pytest.approx(0.8, abs=0.025)


def test_a_candidate_at_the_margin_is_never_shown_to_be_within_it():
    """No number of items does it, and impossible plans are refused."""
    assert needed_n_within(0.2, 0.05, -0.05) == inf
    with pytest.raises(ValueError, match="expected a share of the items between 0 and 1"):
        needed_n_within(0.2, 0.0)
    with pytest.raises(ValueError, match="at most the share they disagree on"):
        needed_n_within(0.05, 0.02, 0.1)

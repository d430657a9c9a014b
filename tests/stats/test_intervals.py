import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, fisher_exact

from harness.stats.exact import clopper_pearson, fisher, jeffreys, mid_p
from harness.stats.intervals import boundary, wilson
from harness.types import Estimate

ALL = [wilson, clopper_pearson, mid_p, jeffreys]


@st.composite
def counts(draw):
    n = draw(st.integers(1, 3000))
    return draw(st.integers(0, n)), n


@pytest.mark.parametrize(
    ("interval", "right", "n", "low", "high", "digits"),
    [
        (wilson, 15, 148, 0.0624, 0.1605, 4),
        (wilson, 0, 20, 0, 0.1611, 4),
        (wilson, 1, 29, 0.0061, 0.1718, 4),
        (clopper_pearson, 15, 148, 0.0578, 0.1617, 4),
        (clopper_pearson, 0, 20, 0, 0.1684, 4),
        (clopper_pearson, 1, 29, 0.0009, 0.1776, 4),
        (clopper_pearson, 7, 50, 0.05819, 0.26740, 5),
        (jeffreys, 0, 20, 0, 0.117, 3),
        (jeffreys, 1, 29, 0.004, 0.150, 3),
        (mid_p, 15, 148, 0.0601, 0.1581, 4),
        (mid_p, 0, 20, 0, 0.1391, 4),
    ],
)
def test_published_limits(interval, right, n, low, high, digits):
    """The limits Newcombe (1998) and scipy's manual print, to their last digit."""
    estimate = interval(right, n)
    assert (round(estimate.low, digits), round(estimate.high, digits)) == (low, high)
    assert (estimate.value, estimate.n) == (right / n, n)


@pytest.mark.parametrize(("interval", "method"), [(wilson, "wilson"), (clopper_pearson, "exact")])
@given(counts(), st.sampled_from([0.8, 0.95, 0.99]))
def test_scipy_agrees(interval, method, case, confidence):
    """Wilson and Clopper–Pearson are scipy's, at any confidence."""
    right, n = case
    estimate = interval(right, n, confidence=confidence)
    expected = binomtest(right, n).proportion_ci(confidence, method=method)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(counts())
def test_mid_p_limits_halve_the_observed(case):
    """At a mid-P limit, the outcomes beyond the observed and half of it have a probability of 2.5%."""
    right, n = case
    estimate = mid_p(right, n)
    if right > 0:
        tail = binom.sf(right, n, estimate.low) + binom.pmf(right, n, estimate.low) / 2
        assert tail == pytest.approx(0.025, abs=1e-9)
    if right < n:
        tail = binom.cdf(right - 1, n, estimate.high) + binom.pmf(right, n, estimate.high) / 2
        assert tail == pytest.approx(0.025, abs=1e-9)


@pytest.mark.parametrize("interval", ALL)
@given(counts())
def test_shape(interval, case):
    """Within [0, 1], around the share, mirrored when right and wrong change places, wider when surer."""
    right, n = case
    estimate, mirror = interval(right, n), interval(n - right, n)
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx((estimate.low, estimate.high), abs=1e-9)
    surer = interval(right, n, confidence=0.99)
    assert surer.low <= estimate.low
    assert surer.high >= estimate.high
    assert estimate.high > estimate.low


@pytest.mark.parametrize("interval", ALL)
@given(counts())
def test_one_more_right(interval, case):
    """One more right answer raises both limits, or leaves one at the end of the scale."""
    right, n = case
    before, after = interval(right, n + 1), interval(right + 1, n + 1)
    assert after.low > before.low
    assert after.high > before.high or after.high == 1


@pytest.mark.parametrize("interval", ALL)
def test_no_items(interval):
    """Without items the share is unknown, not 0."""
    estimate = interval(0, 0, name="recall")
    assert estimate == Estimate("recall", None, None, None, 0, estimate.method)


@pytest.mark.parametrize(
    ("interval", "low"), [(wilson, 0.2065), (clopper_pearson, 0.025), (mid_p, 0.05), (jeffreys, 0.1467)]
)
def test_one_item(interval, low):
    """One right answer of one: the upper limit is 1 and the lower one says how little that is."""
    estimate = interval(1, 1)
    assert (estimate.value, estimate.high) == (1, 1)
    assert estimate.low == pytest.approx(low, abs=5e-5)


@pytest.mark.parametrize(
    ("interval", "alpha_root"),
    [(clopper_pearson, 0.025), (mid_p, 0.05)],
)
@pytest.mark.parametrize("n", [1, 20, 1000, 100_000])
def test_all_wrong(interval, alpha_root, n):
    """None right of n: the upper limit has the closed form 1 - tail ** (1 / n)."""
    assert interval(0, n).low == 0
    assert interval(0, n).high == pytest.approx(1 - alpha_root ** (1 / n), rel=1e-9)


@functools.cache
def limits(interval, n):
    """The lower and the upper limits for 0 to n right answers."""
    estimates = [interval(right, n) for right in range(n + 1)]
    return np.array([e.low for e in estimates]), np.array([e.high for e in estimates])


def coverage(interval, n, share):
    """The probability that the interval holds the true share, by adding up all outcomes."""
    low, high = limits(interval, n)
    held = (low <= share) & (share <= high)
    return float(binom.pmf(np.arange(n + 1), n, share) @ held)


@pytest.mark.parametrize("n", [20, 100, 1000])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_coverage(n, share):
    """Clopper–Pearson covers at least 95%; the others from 92% to 99%, also at 20 items and at 99%."""
    assert coverage(clopper_pearson, n, share) >= 0.95
    for interval in (wilson, mid_p, jeffreys):
        assert 0.92 <= coverage(interval, n, share) <= 0.99


@pytest.mark.parametrize("n", [20, 100])
def test_mean_coverage(n):
    """Over all shares Wilson, mid-P and Jeffreys cover 95% to within 1.2 points; Clopper–Pearson covers more."""
    shares = (np.arange(200) + 0.5) / 200
    mean = {interval: np.mean([coverage(interval, n, share) for share in shares]) for interval in ALL}
    assert mean.pop(clopper_pearson) > 0.96
    assert list(mean.values()) == pytest.approx([0.95] * 3, abs=0.012)


@pytest.mark.parametrize(("inside", "outside"), [(0.0, 1.0), (0.0, -1.0), (1.0, -1.0)])
def test_boundary(inside, outside):
    """The turning point to the last bit, in either direction; the start when nothing holds."""
    turn = inside + 0.3 * (outside - inside)
    assert boundary(lambda x: abs(x - inside) < abs(turn - inside), inside, outside) == pytest.approx(turn, abs=1e-15)
    assert boundary(lambda _: False, inside, outside) == pytest.approx(inside, abs=1e-15)


@given(st.tuples(*[st.integers(0, 400)] * 4))
def test_fisher_is_scipys(table):
    """Fisher's exact test of two shares, two-sided, is scipy's; 1 where a part is empty."""
    (right, wrong, right_elsewhere, wrong_elsewhere) = table
    p = fisher(right, right + wrong, right_elsewhere, right_elsewhere + wrong_elsewhere)
    assert p == pytest.approx(fisher_exact([[right, wrong], [right_elsewhere, wrong_elsewhere]]).pvalue, rel=1e-6)


def test_the_lady_tasting_tea():
    """Fisher 1935: three of four cups told right each way, one-sided 17 of 70, so two-sided 34 of 70."""
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)

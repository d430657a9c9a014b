from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binomtest

from harness.stats.paired import (
    Table2x2,
    bonett_price,
    cochrans_q,
    mcnemar_asymptotic,
    mcnemar_exact,
    mcnemar_mid_p,
    newcombe,
    score,
    tango,
    wald,
)
from harness.types import Estimate
from tests.stats.enumeration import probability

INTERVALS = [tango, newcombe, bonett_price, wald]
TESTS = [mcnemar_exact, mcnemar_mid_p, mcnemar_asymptotic]
Z = NormalDist().inv_cdf(0.975)

cells = st.integers(0, 400)
tables = st.builds(Table2x2, cells, cells, cells, cells).filter(lambda table: table.n > 0)


def corrected(table):
    return mcnemar_asymptotic(table, correction=True)


def chi_square(p_value):
    """The statistic behind a p-value of 1 degree of freedom."""
    return NormalDist().inv_cdf(p_value / 2) ** 2


@pytest.mark.parametrize(
    ("counts", "p_value", "digits"),
    [
        ((101, 121, 59, 33), 0.000004, 6),
        ((101, 70, 59, 33), 0.378688, 6),
        ((101, 80, 59, 33), 0.089452, 6),
        ((101, 30, 60, 33), 0.00206, 5),
        ((101, 10, 30, 33), 0.002221, 6),
        ((101, 10, 10, 33), 1.0, 6),
        ((59, 6, 16, 80), 0.052479, 6),
        ((8, 3, 1, 2), 0.625, 3),
    ],
)
def test_exact_p(counts, p_value, digits):
    """The exact p-values of the statsmodels tests (from Vassar) and of Fagerland's tables."""
    assert round(mcnemar_exact(Table2x2(*counts)), digits) == p_value


@pytest.mark.parametrize(
    ("counts", "p_value", "digits"),
    [
        ((59, 6, 16, 80), 0.034690, 6),
        ((101, 121, 59, 33), 0.00000327, 8),
        ((101, 70, 59, 33), 0.3347, 4),
        ((101, 30, 60, 33), 0.001517, 6),
        ((101, 10, 10, 33), 1.0, 15),
    ],
)
def test_mid_p(counts, p_value, digits):
    """The mid-P values of Fagerland, Lydersen and Laake (2013), and evalstats' of the Vassar tables."""
    assert round(mcnemar_mid_p(Table2x2(*counts)), digits) == p_value


@pytest.mark.parametrize(
    ("counts", "correction", "statistic", "p_value"),
    [
        ((101, 121, 59, 33), True, 20.67222, 5.450095e-06),
        ((101, 70, 59, 33), True, 0.7751938, 0.3786151),
        ((101, 80, 59, 33), True, 2.87769784, 0.08981434),
        ((101, 121, 59, 33), False, 21.35556, 3.815136e-06),
        ((101, 70, 59, 33), False, 0.9379845, 0.3327967),
        ((101, 80, 59, 33), False, 3.17266187, 0.07488031),
    ],
)
def test_chi_square(counts, correction, statistic, p_value):
    """R's mcnemar.test, with and without the correction."""
    found = mcnemar_asymptotic(Table2x2(*counts), correction=correction)
    assert found == pytest.approx(p_value, rel=2e-7)
    assert chi_square(found) == pytest.approx(statistic, rel=3e-7)


def test_chi_square_of_fagerland():
    """The two asymptotic p-values of the airway table."""
    table = Table2x2(59, 6, 16, 80)
    assert round(mcnemar_asymptotic(table), 6) == 0.033006
    assert round(corrected(table), 6) == 0.055009


@pytest.mark.parametrize(
    ("interval", "counts", "low", "high", "digits"),
    [
        (tango, (4, 9, 3, 16), -0.027, 0.390, 3),
        (tango, (53, 16, 8, 9), -0.020, 0.207, 3),
        (tango, (1, 1, 7, 12), -0.517, -0.026, 3),
        (tango, (59, 6, 16, 80), -0.1240, -0.0054, 4),
        (tango, (8, 3, 1, 2), -0.1670, 0.4327, 4),
        (tango, (7, 25, 2, 68), 0.139, 0.321, 3),
        (tango, (20, 0, 0, 0), -0.161, 0.161, 3),
        (newcombe, (20, 12, 2, 16), 0.0562, 0.3292, 4),
        (newcombe, (1, 1, 7, 12), -0.507, -0.026, 3),
        (newcombe, (59, 6, 16, 80), -0.1186, -0.0046, 4),
        (newcombe, (8, 3, 1, 2), -0.1574, 0.4136, 4),
        (newcombe, (7, 25, 2, 68), 0.133, 0.318, 3),
        (bonett_price, (1, 1, 7, 12), -0.508, -0.013, 3),
        (bonett_price, (59, 6, 16, 80), -0.1195, -0.0032, 4),
        (wald, (1, 1, 7, 12), -0.520, -0.052, 3),
        (wald, (59, 6, 16, 80), -0.1184, -0.0058, 4),
    ],
)
def test_published_limits(interval, counts, low, high, digits):
    """The limits of Tango (1998), Newcombe (1998c) and Fagerland's tables, to their last digit."""
    estimate = interval(Table2x2(*counts))
    assert (round(estimate.low, digits), round(estimate.high, digits)) == (low, high)


def test_tangos_first_example():
    """Tango's table V: 90% limits of one disagreement in 44."""
    estimate = tango(Table2x2(43, 0, 1, 0), confidence=0.90)
    assert (round(estimate.low, 3), round(estimate.high, 3)) == (-0.096, 0.037)


@pytest.mark.parametrize("test", [*TESTS, corrected])
@given(tables)
@example(Table2x2(0, 0, 0, 1))
@example(Table2x2(0, 5000, 0, 0))
def test_p_values(test, table):
    """From 0 to 1, the same whoever is called a, blind to agreement, and 1 when b equals c."""
    p_value = test(table)
    assert 0 <= p_value <= 1
    assert test(table.swapped) == p_value
    assert test(Table2x2(0, table.only_a, table.only_b, 0)) == p_value
    assert test(Table2x2(table.both, table.only_a, table.only_a, table.neither)) == 1


@pytest.mark.parametrize("test", [*TESTS, corrected])
@given(st.integers(1, 300), st.data())
def test_p_falls_with_unevenness(test, m, data):
    """Of m discordant items, fewer wins for the loser make a smaller p."""
    fewer = data.draw(st.integers(0, (m - 1) // 2))
    more_even = test(Table2x2(0, fewer + 1, m - fewer - 1, 0)) if 2 * (fewer + 1) <= m else 1
    assert test(Table2x2(0, fewer, m - fewer, 0)) <= more_even


@given(tables)
def test_exact_is_scipys(table):
    """The exact test is the binomial test of a fair coin; mid-P lies below it by the observed probability."""
    if table.discordant:
        assert mcnemar_exact(table) == pytest.approx(binomtest(table.only_a, table.discordant).pvalue, abs=1e-12)
    assert mcnemar_mid_p(table) <= mcnemar_exact(table)


@pytest.mark.parametrize("interval", INTERVALS)
@given(tables)
@example(Table2x2(1, 0, 0, 0))
@example(Table2x2(0, 1, 0, 0))
@example(Table2x2(0, 0, 400, 0))
@example(Table2x2(10**6, 3, 1, 0))
def test_shape(interval, table):
    """Within [-1, 1], around the difference, negated when a and b change places, wider when surer."""
    estimate, negated = interval(table), interval(table.swapped)
    assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert (-negated.high, -negated.low) == pytest.approx((estimate.low, estimate.high), abs=1e-9)
    surer = interval(table, confidence=0.99)
    assert surer.low <= estimate.low + 1e-12
    assert surer.high >= estimate.high - 1e-12


@pytest.mark.parametrize("interval", [tango, bonett_price, wald])
@given(tables)
def test_one_more_win(interval, table):
    """A tie that becomes a win for a raises both limits, or leaves them at the end of the scale."""
    before = interval(Table2x2(table.both + 1, table.only_a, table.only_b, table.neither))
    after = interval(Table2x2(table.both, table.only_a + 1, table.only_b, table.neither))
    if interval is tango:
        assert after.low > before.low
    assert after.high >= before.high


@given(tables)
def test_tango_limits_solve_the_score(table):
    """At each limit inside the scale, the score is z standard deviations away."""
    estimate = tango(table)
    for limit, sign in ((estimate.low, 1), (estimate.high, -1)):
        gap, deviation = score(table, limit)
        if deviation > 0:
            assert gap == pytest.approx(sign * Z * deviation, abs=1e-6)
    assert abs(estimate.low) < 1 or abs(estimate.high) < 1


@given(tables)
def test_score_at_no_difference_is_mcnemar(table):
    """Under a difference of 0, the squared score is McNemar's chi-square."""
    gap, deviation = score(table, 0.0)
    assert gap == table.only_a - table.only_b
    assert deviation == pytest.approx(sqrt(table.discordant))


@pytest.mark.parametrize("interval", [tango, newcombe, bonett_price])
@pytest.mark.parametrize("n", [1, 20, 1000])
@pytest.mark.parametrize("place", ["both", "neither"])
def test_agreement_leaves_doubt(interval, n, place):
    """Where no pair disagrees there is still an interval around 0, not a point; only Wald's vanishes."""
    empty = {"both": 0, "only_a": 0, "only_b": 0, "neither": 0}
    table = Table2x2(**(empty | {place: n}))
    estimate = interval(table)
    assert estimate.value == 0
    assert estimate.high == -estimate.low
    assert estimate.high > 1 / n / 2
    assert (wald(table).low, wald(table).high) == (0, 0)


@pytest.mark.parametrize("n", [1, 20, 1000])
def test_tango_closed_forms(n):
    """Without discordant pairs ± z² / (n + z²); when a wins every item from (n - z²) / (n + z²) to 1."""
    same, won = tango(Table2x2(n, 0, 0, 0)), tango(Table2x2(0, n, 0, 0))
    assert (same.low, same.high) == pytest.approx((-(Z**2) / (n + Z**2), Z**2 / (n + Z**2)), abs=1e-12)
    assert (won.low, won.high) == pytest.approx(((n - Z**2) / (n + Z**2), 1), abs=1e-12)


@pytest.mark.parametrize("interval", INTERVALS)
def test_no_items(interval):
    """Without items the difference is unknown, not 0."""
    estimate = interval(Table2x2(0, 0, 0, 0), name="accuracy")
    assert estimate == Estimate("accuracy", None, None, None, 0, estimate.method)
    assert Table2x2(0, 0, 0, 0).difference is None


@pytest.mark.parametrize("test", [*TESTS, corrected])
def test_no_discordant_pair(test):
    """Nothing disagrees, nothing is shown: p is 1, also without items."""
    assert test(Table2x2(0, 0, 0, 0)) == test(Table2x2(1, 0, 0, 0)) == test(Table2x2(10, 0, 0, 10)) == 1


def test_methods_are_named():
    """An estimate says which method made it."""
    assert [interval(Table2x2(1, 1, 1, 1)).method for interval in INTERVALS] == [
        "Tango",
        "Newcombe 10",
        "Bonett–Price",
        "Wald",
    ]


def test_table_of_arrays():
    """The table counts items by who was right, in plain ints."""
    a = np.array([True, True, True, False, False, True])
    b = np.array([True, False, False, True, False, True])
    table = Table2x2.of(a, b)
    assert table == Table2x2(both=2, only_a=2, only_b=1, neither=1)
    assert (table.n, table.discordant, table.difference) == (6, 3, 1 / 6)
    assert type(table.both) is int
    assert Table2x2.of([], []) == Table2x2(0, 0, 0, 0)


def test_bad_tables():
    """Arrays of different items and negative counts are refused, in words."""
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(3,\)"):
        Table2x2.of([True, False], [True, False, True])
    with pytest.raises(ValueError, match="below 0"):
        Table2x2(3, -1, 0, 0)


SIZES = [(20, 0.05), (50, 0.05), (50, 0.15), (100, 0.02), (100, 0.10)]


@pytest.mark.parametrize(("n", "share"), SIZES)
def test_size(n, share):
    """Between equal arms, the exact and mid-P tests reject at 5% in at most 5% of experiments; mid-P is less shy."""
    exact, mid = (probability(lambda t, p=p: p(t) <= 0.05, n, share, share) for p in (mcnemar_exact, mcnemar_mid_p))
    assert exact <= mid <= 0.0501


@pytest.mark.parametrize(
    ("n", "p12", "p21"),
    [(20, 0.03, 0.01), (30, 0.05, 0.05), (30, 0.20, 0.10), (60, 0.10, 0.05), (60, 0.30, 0.10)],
)
def test_coverage(n, p12, p21):
    """Tango covers 93.5% to 99.9% of experiments also where hardly a pair disagrees."""

    def holds(table):
        estimate = tango(table)
        return estimate.low <= p12 - p21 <= estimate.high

    assert 0.935 <= probability(holds, n, p12, p21) <= 1


def test_wald_does_not_cover():
    """Two points apart at 20 items, Wald misses the truth in half of all experiments."""

    def holds(table):
        estimate = wald(table)
        return estimate.low <= 0.02 <= estimate.high

    assert probability(holds, 20, 0.03, 0.01) < 0.56


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_cochran_of_two_arms(pairs):
    """With two arms Cochran's Q is McNemar's chi-square without correction."""
    hits = np.array(pairs)
    table = Table2x2.of(hits[:, 0], hits[:, 1])
    statistic, p_value = cochrans_q(hits)
    assert p_value == pytest.approx(mcnemar_asymptotic(table))
    if table.discordant:
        assert statistic == pytest.approx((table.only_a - table.only_b) ** 2 / table.discordant)


def test_cochran_by_hand():
    """Three arms with 4, 2 and 1 right of 5: Q = 2 (3 · 21 - 49) / (21 - 13) = 3.5, p = exp(-Q / 2)."""
    hits = [[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]]
    statistic, p_value = cochrans_q(hits)
    assert statistic == pytest.approx(2 * (3 * 21 - 49) / (3 * 7 - 15))
    assert p_value == pytest.approx(np.exp(-statistic / 2))


@pytest.mark.parametrize("hits", [np.ones((4, 3)), np.zeros((1, 2)), np.zeros((0, 2))])
def test_cochran_without_disagreement(hits):
    """All right, all wrong, no items: Q is 0 and p is 1."""
    assert cochrans_q(hits) == (0.0, 1.0)


def test_cochran_needs_two_arms():
    """One arm has nobody to differ from."""
    with pytest.raises(ValueError, match="two arms or more"):
        cochrans_q([[1], [0]])

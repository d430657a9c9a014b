import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.stats.noninferiority import tango_test
from harness.stats.paired import Table2x2, tango
from tests.stats.enumeration import probability

cells = st.integers(0, 300)
tables = st.builds(Table2x2, cells, cells, cells, cells).filter(lambda table: table.n > 0)
margins = st.floats(0.001, 0.5)


def test_tangos_example():
    """Tango (1998): one loss in 44 at a margin of .1 has z = 1.709 and p = .044."""
    z, p_value = tango_test(Table2x2(43, 0, 1, 0), 0.1)
    assert (round(z, 4), round(p_value, 4)) == (1.7086, 0.0438)


def is_close(table, margin, confidence=0.95):
    """Whether a is shown to be no more than the margin worse, as everything in the product asks it."""
    return tango_test(table, margin)[1] < (1 - confidence) / 2


@given(tables, margins, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_it_is_the_interval(table, margin, confidence):
    """Shown to be close exactly when Tango's interval lies above -margin."""
    estimate = tango(table, confidence=confidence)
    assume(abs(estimate.low + margin) > 1e-9)
    assert is_close(table, margin, confidence) == (estimate.low > -margin)


@given(tables, margins, margins)
def test_wider_margin(table, one, other):
    """A wider margin is easier: a smaller p."""
    narrow, wide = sorted((one, other))
    assert tango_test(table, wide)[1] <= tango_test(table, narrow)[1] + 1e-12


@pytest.mark.parametrize(
    ("counts", "margin", "expected"),
    [
        ((20, 0, 0, 0), 0.02, False),
        ((188, 0, 0, 0), 0.02, False),
        ((189, 0, 0, 0), 0.02, True),
        ((0, 0, 0, 189), 0.02, True),
        ((10, 1, 9, 10), 0.02, False),
        ((500, 10, 10, 480), 0.02, True),
        ((0, 0, 1, 0), 0.02, False),
        ((0, 1, 0, 0), 0.02, False),
        ((1, 0, 0, 0), 0.02, False),
        ((0, 0, 0, 0), 0.02, False),
        ((20, 0, 0, 0), 0.0, False),
    ],
)
def test_close(counts, margin, expected):
    """Perfect agreement passes only once there are z² (1 - margin) / margin items."""
    assert is_close(Table2x2(*counts), margin) == expected


@pytest.mark.parametrize("counts", [(0, 0, 0, 0), (20, 0, 0, 0)])
def test_nothing_speaks(counts):
    """Without items, or at margin 0 without a discordant pair, z is 0 and p is .5."""
    assert tango_test(Table2x2(*counts), 0.0) == (0.0, 0.5)


def test_no_items():
    """Without items no margin is shown to be kept."""
    assert tango_test(Table2x2(0, 0, 0, 0), 0.1) == (0.0, 0.5)


@pytest.mark.parametrize("margin", [-0.02, 1.0, 2.0, float("nan")])
def test_bad_margin(margin):
    """Two points are .02: a margin of 2, of 1 or below 0 is refused."""
    with pytest.raises(ValueError, match="expected a share of the items"):
        tango_test(Table2x2(10, 1, 1, 10), margin)


@pytest.mark.parametrize(
    ("n", "only_b", "only_a", "margin", "wrong"),
    [
        (20, 0.03, 0.01, 0.02, 0.000),
        (50, 0.03, 0.01, 0.02, 0.003),
        (50, 0.02, 0.00, 0.02, 0.000),
        (20, 0.05, 0.00, 0.05, 0.000),
        (50, 0.05, 0.00, 0.05, 0.000),
        (50, 0.10, 0.05, 0.05, 0.017),
        (100, 0.03, 0.01, 0.02, 0.016),
        (200, 0.03, 0.01, 0.02, 0.019),
        (100, 0.10, 0.05, 0.05, 0.022),
        (500, 0.06, 0.04, 0.02, 0.024),
    ],
)
def test_wrong_pass(n, only_b, only_a, margin, wrong):
    """A candidate exactly at the margin passes in at most 2.5% of experiments, all outcomes counted."""
    passed = probability(lambda table: is_close(table, margin), n, only_a, only_b)
    assert round(passed, 3) == wrong

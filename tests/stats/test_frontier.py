"""Pareto front and break-even."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.breakeven import break_even
from harness.stats.frontier import standings
from harness.types import Estimate


def scores(n, *shares):
    """Arms that are right on the first items: every arm's hits are a part of the better arm's."""
    return np.stack([np.arange(n) < round(share * n) for share in shares], axis=1).astype(float)


def status(right, costs, waits, seed=0):
    return [one.status for one in standings(right, costs, waits, np.random.default_rng(seed))]


def test_a_clear_front():
    """Dearer and better stays on the front; dearer and worse is dominated."""
    assert status(scores(400, 0.9, 0.6, 0.5), [5.0, 1.0, 2.0], [0.1, 0.1, 0.1]) == ["front", "front", "dominated"]


def test_a_lead_that_the_items_do_not_carry_is_open():
    """One item more of 50 at twice the price: on the front in some resamples, dominated in others."""
    dear, cheap = np.arange(50) < 40, np.arange(50) >= 11
    found = standings(np.stack([dear, cheap], axis=1), [2.0, 1.0], [0.1, 0.1], np.random.default_rng(0))
    assert found[0].status == "open"
    assert 0.05 < found[0].dominated < 0.95


def test_twins_do_not_dominate_each_other():
    """Two arms alike in everything both stay; a cheaper twin dominates."""
    twins = scores(100, 0.8, 0.8)
    assert status(twins, [1.0, 1.0], [0.1, 0.1]) == ["front", "front"]
    assert status(twins, [1.0, 0.5], [0.1, 0.1]) == ["dominated", "front"]


def test_an_unknown_price_neither_dominates_nor_is_dominated():
    """Nothing is concluded from what nobody knows."""
    assert status(scores(100, 0.9, 0.5), [None, 1.0], [0.1, 0.1]) == ["front", "front"]
    assert status(scores(100, 0.9, 0.5), [1.0, None], [0.1, 0.1]) == ["front", "front"]


def test_failed_items_are_left_out():
    """An arm whose calls failed on half of the items is judged by the other half."""
    right = scores(200, 0.9, 0.5)
    right[::2, 0] = np.nan
    assert status(right, [1.0, 2.0], [0.1, 0.2]) == ["front", "dominated"]


@pytest.mark.parametrize("right", [np.zeros((0, 2)), np.zeros((5, 0)), np.full((3, 2), np.nan)])
def test_nothing_to_go_by(right):
    """Without items, arms or scores, nothing is dominated."""
    arms = right.shape[1]
    found = standings(right, [1.0] * arms, [0.1] * arms, np.random.default_rng(0))
    assert [one.status for one in found if one.status == "dominated"] == []


@given(st.permutations(range(4)))
def test_the_order_of_arms_does_not_matter(order):
    """Arms keep their standing wherever they stand."""
    right, costs, waits = scores(60, 0.9, 0.75, 0.6, 0.4), [4.0, 3.0, 1.0, 2.0], [0.1, 0.2, 0.1, 0.3]
    plain = status(right, costs, waits)
    moved = status(right[:, order], [costs[i] for i in order], [waits[i] for i in order])
    assert moved == [plain[i] for i in order]


def running(value, low=None, high=None):
    return Estimate("gap", value, low, high, 100, "t")


def test_bills_cross():
    """$100 a month more for a, and an item a tenth of a cent cheaper: equal at 100,000 items."""
    found = break_even(100.0, running(-0.001, -0.00125, -0.0008)).volume
    assert found.value == pytest.approx(100_000)
    assert (found.low, found.high) == (pytest.approx(80_000), pytest.approx(125_000))


def test_an_unsure_price_has_no_upper_end():
    """Where the running gap may be nothing at all, the crossing may lie anywhere beyond."""
    found = break_even(100.0, running(-0.001, -0.003, 0.001)).volume
    assert found.low == pytest.approx(100 / 0.003)
    assert found.high is None


@pytest.mark.parametrize(
    ("fixed", "gap", "reason"),
    [
        (10.0, 0.001, "cheaper at every volume"),
        (0.0, 0.001, "cheaper at every volume"),
        (-10.0, -0.001, "cheaper at every volume"),
        (10.0, 0.0, "costs the same"),
        (10.0, None, "unknown"),
    ],
)
def test_bills_that_never_cross(fixed, gap, reason):
    """No volume, and the reason."""
    found = break_even(fixed, running(gap))
    assert found.volume.value is None
    assert reason in found.reason


@given(st.floats(1, 1e6), st.floats(1e-9, 1), st.floats(0.5, 0.99), st.floats(1.01, 2))
def test_at_the_break_even_the_bills_are_equal(fixed, gap, below, above):
    """Closed form: what a saves an item pays for what it costs more; exchanging the arms changes nothing."""
    found = break_even(fixed, running(-gap, -gap * above, -gap * below)).volume
    assert found.value * gap == pytest.approx(fixed)
    assert found.low < found.value < found.high
    swapped = break_even(-fixed, running(gap, gap * below, gap * above)).volume
    assert (swapped.value, swapped.low, swapped.high) == pytest.approx((found.value, found.low, found.high))

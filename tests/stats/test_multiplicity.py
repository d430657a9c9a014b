import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.multiplicity import benjamini_hochberg, holm

# Benjamini and Hochberg 1995, the fifteen p-values of their example.
FIFTEEN = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]
p_values = st.lists(st.none() | st.floats(0, 1), max_size=12)


def test_published_values():
    """Four p-values by hand, and the counts of rejections of the published example."""
    four = [0.01, 0.04, 0.03, 0.005]
    assert holm(four) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(four) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert sum(p <= 0.05 for p in benjamini_hochberg(FIFTEEN)) == 4
    assert sum(p <= 0.05 for p in holm(FIFTEEN)) == 3


@given(p_values)
def test_adjusted_values_keep_order_and_bounds(given_values):
    """No smaller than before, no larger than Bonferroni, in the same order; what is unknown stays unknown."""
    known = [p for p in given_values if p is not None]
    for adjust in (holm, benjamini_hochberg):
        found = adjust(given_values)
        assert [p is None for p in found] == [p is None for p in given_values]
        pairs = [(p, q) for p, q in zip(given_values, found, strict=True) if p is not None]
        assert all(p <= q + 1e-12 and q <= min(1, len(known) * p) + 1e-12 for p, q in pairs)
        ordered = [q for _, q in sorted(pairs)]
        assert ordered == sorted(ordered)


@given(p_values)
def test_fewer_false_alarms_cost_more(given_values):
    """Holm, which forbids any false alarm, is never below Benjamini and Hochberg, which forbids a share."""
    pairs = zip(holm(given_values), benjamini_hochberg(given_values), strict=True)
    assert all(strict is None or strict >= loose - 1e-12 for strict, loose in pairs)

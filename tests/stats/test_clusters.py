import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.clusters import cluster_mean, standard_error

Y = np.array([1, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0, 1.0])
FOUR = np.repeat([0, 1, 2, 3], 3)


def test_published_values():
    """Twelve values in four clusters, as statsmodels has them without its small-sample correction."""
    assert Y.mean() == pytest.approx(0.58333, abs=5e-6)
    assert standard_error(Y, np.arange(12)) == pytest.approx(np.sqrt(np.var(Y) / 12))
    assert round(standard_error(Y, FOUR), 6) == 0.181621
    # statsmodels' correction is the root of G / (G - 1), times (n - 1) / (n - 1) for a mean alone.
    assert round(standard_error(Y, FOUR) * np.sqrt(4 / 3), 6) == 0.209718


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=2, max_size=40), st.randoms())
def test_order_and_names_of_clusters_do_not_matter(pairs, random):
    """The same values in another order, with other numbers for the clusters, give the same interval."""
    values, groups = map(np.array, zip(*pairs, strict=True))
    order = list(range(len(pairs)))
    random.shuffle(order)
    one, other = cluster_mean(values, groups), cluster_mean(values[order], groups[order] * 7 + 3)
    assert one.value == pytest.approx(other.value)
    assert (one.low is None) == (other.low is None)
    if one.low is not None:
        assert (one.low, one.high) == (pytest.approx(other.low), pytest.approx(other.high))


@pytest.mark.parametrize(("values", "groups"), [([], []), ([1.0], [0]), ([1.0, 0.0], [3, 3])])
def test_too_little_data_has_no_interval(values, groups):
    """Nothing, one value, one cluster: no interval, and no warning."""
    found = cluster_mean(values, groups)
    assert (found.low, found.high, found.n) == (None, None, len(values))


def test_the_interval_covers_where_the_naive_one_does_not():
    """400 seeded experiments of 30 clusters of 8 near-copies: about 95%, where items taken as independent cover 60%."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(30), 8)
    hits = naive = 0
    for _ in range(400):
        values = np.repeat(rng.normal(size=30), 8) + 0.3 * rng.normal(size=240)
        found, apart = cluster_mean(values, groups), cluster_mean(values, np.arange(240))
        hits += found.low <= 0 <= found.high
        naive += apart.low <= 0 <= apart.high
    assert 0.92 <= hits / 400 <= 0.98
    assert naive / 400 < 0.7

"""Paired differences of macro-F1, cost and quantiles, and the interval of one quantile."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from sklearn.metrics import f1_score

from harness.stats import bootstrap, differences
from harness.stats.quantiles import quantile

LABELS = ["a", "b", "c"]


def planted(n, right_a, right_b, seed=0):
    """Gold labels and two arms that are right on these shares, independently."""
    rng = np.random.default_rng(seed)
    gold = rng.choice(LABELS, size=n)
    return gold, *(np.where(rng.random(n) < share, gold, rng.choice(LABELS, size=n)) for share in (right_a, right_b))


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(-1, 4), st.integers(1, 9)), min_size=1, unique_by=lambda c: c[:2]
    ),
    st.sampled_from([1, 7, bootstrap.CELLS]),
)
def test_leaving_out_an_item_of_each_cell_is_one_less_in_it(cells, at_once):
    """To the bit what macro-F1 is of the counts with one less, however many rows are worked on at once."""
    gold, answers, counts = np.array(cells).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "CELLS", at_once)
        found = bootstrap.f1_without_one(counts, gold, answers, 5)
    expected = bootstrap.f1_of_cells(counts - np.eye(len(counts), dtype=np.int64), gold, answers, 5)
    assert found.tobytes() == expected.tobytes()


def test_the_value_is_scikit_learns():
    """The difference of two macro-F1 scores, as scikit-learn computes them."""
    gold, a, b = planted(200, 0.8, 0.6)
    found = differences.macro_f1(gold, a, b, np.random.default_rng(0))
    expected = f1_score(gold, a, average="macro") - f1_score(gold, b, average="macro")
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high


def test_the_limits_are_those_of_scipys_bca():
    """On the same statistic, scipy's paired BCa bootstrap gives the same limits within resampling error."""
    gold, a, b = planted(80, 0.9, 0.7, seed=3)
    code = {label: number for number, label in enumerate(LABELS)}
    columns = [np.array([code[label] for label in labels]) for labels in (gold, a, b)]

    def difference(g, x, y):
        return f1_score(g, x, average="macro") - f1_score(g, y, average="macro")

    theirs = scipy_stats.bootstrap(
        columns, difference, paired=True, vectorized=False, n_resamples=300, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = differences.macro_f1(gold, a, b, np.random.default_rng(2), resamples=4000)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_exchanged_arms_are_the_mirror_image():
    """b minus a is a minus b with its sign changed."""
    gold, a, b = planted(150, 0.8, 0.7)
    one = differences.macro_f1(gold, a, b, np.random.default_rng(0))
    other = differences.macro_f1(gold, b, a, np.random.default_rng(0))
    assert one.value == pytest.approx(-other.value)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=0.01)


@pytest.mark.parametrize(
    ("gold", "a", "b"),
    [
        (["a"], ["a"], ["b"]),
        (["a", "b"], ["a", "b"], ["a", "b"]),
        (["a", "a"], [None, None], [None, None]),
        (["a", "a"], ["a", "a"], ["a", "a"]),
    ],
)
def test_degenerate_answers(gold, a, b):
    """One item, equal arms, no answers, one class: a stated result, no warning."""
    found = differences.macro_f1(gold, a, b, np.random.default_rng(0))
    assert found.low <= found.value <= found.high


def test_no_items():
    """Nothing in, nothing out."""
    rng = np.random.default_rng(0)
    for found in (differences.macro_f1([], [], [], rng), differences.cost_per_1000([], []), quantile([], 0.95)):
        assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)
    assert differences.quantile([], [], 0.95, rng).value is None


def test_coverage_of_the_macro_f1_difference():
    """Nominal 95% intervals hold the true difference in 92 to 98% of 300 draws of 150 items."""
    covered, draws = 0, 300
    big = planted(200_000, 0.8, 0.7, seed=99)
    truth = f1_score(big[0], big[1], average="macro") - f1_score(big[0], big[2], average="macro")
    for seed in range(draws):
        found = differences.macro_f1(*planted(150, 0.8, 0.7, seed), np.random.default_rng(seed), resamples=500)
        covered += found.low <= truth <= found.high
    assert 0.92 <= covered / draws <= 0.98


def test_cost_is_the_paired_mean():
    """By 1,000 items, with the t interval of the gaps; unknown as soon as one cost is."""
    a, b = np.array([0.001, 0.003, 0.002]), np.array([0.001, 0.001, 0.001])
    found = differences.cost_per_1000(a, b)
    expected = scipy_stats.ttest_1samp(1000 * (a - b), 0).confidence_interval()
    assert found.value == pytest.approx(1.0)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert differences.cost_per_1000([0.1, np.nan], [0.1, 0.1]).value is None


def test_quantiles_of_paired_times():
    """A constant that is added to every time moves the difference by itself, with no width."""
    times = np.random.default_rng(0).exponential(size=300)
    found = differences.quantile(times + 0.5, times, 0.95, np.random.default_rng(0))
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    assert found.name == "p95_s"


def test_order_statistics_of_the_median():
    """Ten values: the second and the ninth, at 97.9% (a table of every textbook of nonparametric statistics)."""
    found = quantile(range(1, 11), 0.5)
    assert (found.value, found.low, found.high) == (5.5, 2, 9)


def test_too_few_values_for_a_limit():
    """The largest of 71 values is no upper limit of the 95th percentile; that of 72 is."""
    assert quantile(range(71), 0.95).high is None
    assert quantile(range(72), 0.95).high == 71
    assert quantile([1.0], 0.5).low is None


@given(st.integers(2, 300), st.sampled_from([0.05, 0.5, 0.95]))
def test_a_quantile_lies_in_its_interval(n, share):
    """Whatever the values and their order."""
    values = np.random.default_rng(n).permutation(n).astype(float)
    found = quantile(values, share)
    assert found.low is None or found.low <= found.value
    assert found.high is None or found.value <= found.high


@pytest.mark.parametrize("n", [20, 100, 1000])
def test_coverage_of_quantiles(n):
    """At least 95% of 2,000 intervals hold the true 95th percentile, less Monte-Carlo error."""
    rng, covered, truth = np.random.default_rng(7), 0, -np.log(0.05)
    for _ in range(2000):
        found = quantile(rng.exponential(size=n), 0.95)
        covered += (found.low or 0.0) <= truth <= (found.high or np.inf)
    assert covered / 2000 >= 0.94

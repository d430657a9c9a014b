"""Few gold labels and guesses for all: the papers' formulas, and where the interval is more careful than theirs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from harness.stats import ppi
from harness.stats.intervals import wilson
from harness.stats.paired import Table2x2, tango
from harness.stats.powered import Guesses
from harness.stats.weighted import Sample

GOLD, JUDGED = [1, 0, 1, 1, 0, 1, 0, 1, 1, 1], [1, 0, 1, 0, 0, 1, 1, 1, 1, 1]
FURTHER = [1, 0] * 30 + [1] * 20


def published(gold, judged, further):
    """PPI++'s mean and the weight of the judge (Angelopoulos, Duchi and Zrnic 2023, sections 2 and 6)."""
    n, more = len(gold), len(further)
    spread = np.var(np.concatenate([judged, further]), ddof=1)
    weight = np.cov(gold, judged, ddof=0)[0, 1] / ((1 + n / more) * spread)
    return weight, np.mean(gold) + weight * (np.mean(further) - np.mean(judged))


def test_the_published_mean():
    """The estimate is PPI++'s: its guesses' mean is of all items, so its weight is theirs times 1 + n / N."""
    weight, mean = published(GOLD, JUDGED, FURTHER)
    assert mean == pytest.approx(0.668772, abs=1e-6)  # of the published implementation
    sample = Sample.of(10)
    measured = ppi._Measured(sample, sample, 0.7, np.array(GOLD) - 0.7, 0.21)
    guesses = Guesses.of(JUDGED, JUDGED + FURTHER)
    trust = ppi._trust(measured, guesses)
    assert trust * guesses.mean_of_all + 0.7 - trust * 0.7 == pytest.approx(mean, abs=2e-3)
    assert trust == pytest.approx(weight * (1 + 10 / 80), rel=0.02)  # they take the judge's variance with ddof 1


def test_many_labels_give_the_published_interval():
    """With thousands of labels the interval is the papers' normal one."""
    rng = np.random.default_rng(1)
    truth = rng.random(40_000) < 0.7
    judge = np.where(rng.random(40_000) < 0.9, truth, ~truth).astype(float)
    gold = truth[:4000].astype(float)
    found = ppi.share(gold, Guesses.of(judge[:4000], judge), Sample.of(4000)).estimate
    weight, mean = published(gold, judge[:4000], judge[4000:])
    variance = np.var(gold - weight * judge[:4000]) / 4000 + weight**2 * np.var(judge[4000:]) / 36_000
    assert found.value == pytest.approx(mean, abs=1e-4)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * np.sqrt(variance), rel=0.02)


def test_weights_of_horvitz_and_thompson():
    """An item drawn with probability p stands for 1/p: the mean is the ratio of the two weighted sums (Hájek)."""
    gold, weights = np.array([1.0, 0, 1, 1, 0, 1]), np.array([1.0, 4, 2, 1, 1, 3])
    found = ppi.share(gold, Guesses.of(np.zeros(6), np.zeros(100)), Sample.of(6, weights))
    assert found.estimate.value == pytest.approx((weights @ gold) / weights.sum())
    assert found.estimate.low < found.estimate.value < found.estimate.high


@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_guesses_that_say_nothing_change_nothing(right):
    """With constant guesses gold stands alone, and its interval is Wilson's."""
    found = ppi.share(right, Guesses.of(np.ones(len(right)), np.ones(500)), Sample.of(len(right)))
    expected = wilson(sum(right), len(right))
    assert found.trust == 0
    assert (found.estimate.value, found.estimate.low, found.estimate.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-12
    )
    assert found.labels_saved == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 100), st.floats(0, 1)), min_size=2, max_size=40))
def test_the_value_lies_in_its_interval(rows):
    """Whatever the weights and guesses, all right and all wrong included: 0 <= low <= value <= high <= 1."""
    right, weights, guessed = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = ppi.share(right, Guesses.of(guessed, np.tile(guessed, 5)), Sample.of(len(rows), weights))
    for one in (found.estimate, found.gold_alone):
        assert -1e-9 <= one.low <= one.value <= one.high <= 1 + 1e-9


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=2, max_size=60))
def test_differences_alone_are_tangos(values):
    """Without guesses the interval of a difference is Tango's."""
    nothing = Guesses.of(np.zeros(len(values)), np.zeros(500))
    found = ppi.difference(values, nothing, nothing, Sample.of(len(values))).estimate
    a, b = values.count(1), values.count(-1)
    expected = tango(Table2x2(0, a, b, len(values) - a - b))
    assert (found.value, found.low, found.high) == pytest.approx(
        (expected.value, expected.low, expected.high), abs=1e-9
    )


def test_recall_alone_is_wilsons_of_the_label():
    """Without guesses a label's recall is the share of its gold items that were hit, with Wilson's interval."""
    held, hits = np.array([1.0] * 12 + [0] * 30), np.array([1.0] * 9 + [0] * 33)
    nothing = Guesses.of(np.zeros(42), np.zeros(500))
    found = ppi.recall(hits, held, (nothing, nothing), Sample.of(42), name="recall of a").estimate
    expected = wilson(9, 12)
    assert (found.value, found.low, found.high, found.n) == pytest.approx((0.75, expected.low, expected.high, 12))


@settings(max_examples=40)
@given(st.integers(0, 1000), st.floats(-0.5, 0.5))
def test_a_constant_added_to_the_guesses_changes_nothing(seed, shift):
    """A biased judge is corrected: what it adds to every item falls out."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(400) < 0.7).astype(float)
    judge = np.clip(truth * 0.5 + rng.random(400) * 0.5, 0, 1)
    plain, moved = (
        ppi.share(truth[:50], Guesses.of(values[:50], values), Sample.of(50)) for values in (judge, judge + shift)
    )
    assert moved.estimate.value == pytest.approx(plain.estimate.value, abs=1e-9)
    assert moved.estimate.low == pytest.approx(plain.estimate.low, abs=1e-9)


def test_macro_f1_is_that_of_the_labelled_items_where_guesses_say_nothing():
    """The value is scikit-learn's macro-F1; with few items of a label there is no interval, and it says why."""
    rng = np.random.default_rng(2)
    gold = rng.integers(0, 3, 90)
    answers = np.where(rng.random(90) < 0.7, gold, rng.integers(0, 3, 90))
    given = ppi.one_hot(answers, 3)
    found = ppi.macro_f1(gold, given, Guesses.of(np.zeros(90), np.zeros(900)), Sample.of(90)).estimate
    assert found.value == pytest.approx(f1_score(gold, answers, average="macro"))
    assert found.low < found.value < found.high
    scarce = ppi.macro_f1(gold[:8], given[:8], Guesses.of(np.zeros(8), np.zeros(900)), Sample.of(8)).estimate
    assert scarce.low is None
    assert "fewer than 5 gold items" in scarce.method


def test_the_influence_on_macro_f1_is_its_derivative():
    """Each item's influence is what a little more of its weight does to the macro-F1, times all weight."""
    rng = np.random.default_rng(3)
    of_label, given = np.eye(4)[rng.integers(0, 4, 30)], ppi.one_hot(rng.integers(-1, 4, 30), 4)
    weights = np.full(30, 1 / 30)
    value, influence = ppi.macro_influence(of_label, given, weights)
    for item in (0, 7, 19):
        more = weights + 1e-6 * (np.arange(30) == item)
        changed, _ = ppi.macro_influence(of_label, given, more / more.sum())
        assert (changed - value) / 1e-6 == pytest.approx(influence[item], abs=1e-4)


def test_too_little_gold():
    """Without gold labels there is no value, with one of them no interval."""
    assert ppi.share([], Guesses.of([], FURTHER), Sample.of(0)).estimate.value is None
    alone = ppi.share([0.5], Guesses.of([1], FURTHER), Sample.of(1)).estimate
    assert (alone.value, alone.low, alone.high) == (0.5, None, None)


def test_values_of_the_same_items():
    """Gold values, guesses and weights are of the same items, and weights are above 0."""
    with pytest.raises(ValueError, match="3 gold values, 2 guesses"):
        ppi.share([1, 0, 1], Guesses.of([1, 0], FURTHER), Sample.of(3))
    with pytest.raises(ValueError, match="above 0"):
        Sample.of(2, [1.0, 0.0])


def test_items_of_one_group_count_once():
    """Labels that come in groups of alike items are worth about as many as there are groups."""
    rng = np.random.default_rng(4)
    right = np.repeat(rng.random(30) < 0.7, 5).astype(float)
    nothing = Guesses.of(np.zeros(150), np.zeros(900))
    single = ppi.share(right, nothing, Sample.of(150)).estimate
    grouped = ppi.share(right, nothing, Sample.of(150, groups=np.repeat(np.arange(30), 5))).estimate
    assert grouped.high - grouped.low == pytest.approx((single.high - single.low) * np.sqrt(5), rel=0.12)


def test_labels_saved():
    """A judge that is nearly always right saves most labels; one that knows nothing saves none."""
    rng = np.random.default_rng(5)
    truth = (rng.random(3000) < 0.7).astype(float)
    good = np.where(rng.random(3000) < 0.95, truth, 1 - truth)
    found = ppi.share(truth[:100], Guesses.of(good[:100], good), Sample.of(100))
    assert found.labels_saved > 150
    assert found.estimate.high - found.estimate.low < 0.65 * (found.gold_alone.high - found.gold_alone.low)

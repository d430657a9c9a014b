import numpy as np
import pytest

from harness.stats import curves

# SetFit on Emotion, labels per class and accuracy (mean of ten seeds), from its authors' result files.
PER_CLASS = [2, 4, 8, 16, 32, 64]
EMOTION = [0.2966, 0.3630, 0.4877, 0.5944, 0.6843, 0.7620]


def simulated(rng, seeds=5, items=400, sizes=(10, 20, 40, 80, 160), spread=0.02):
    """Right or not, for a curve that rises from .5 by .08 a doubling, with draws of labels that differ."""
    level = 0.5 + 0.08 * np.arange(len(sizes))
    hard = rng.random((1, 1, items))
    return hard < level[None, :, None] + rng.normal(0, spread, (seeds, 1, 1))


@pytest.mark.parametrize(
    ("level", "labels"), [(0.2, 2), (0.2966, 2), (0.3630, 4), (0.5944, 16), (0.762, 64), (0.77, np.inf)]
)
def test_where_a_published_curve_meets_a_level(level, labels):
    """At its own points exactly; at the smallest size when it starts above; never when it ends below."""
    assert curves.meets(PER_CLASS, np.array(EMOTION), level) == pytest.approx(labels)


def test_between_two_sizes_labels_are_read_on_a_logarithm():
    """Half way up between 4 and 16 is 8, and a dip on the way is smoothed."""
    assert curves.meets([4, 16], np.array([0.4, 0.6]), 0.5) == pytest.approx(8)
    assert curves.meets([4, 8, 16], np.array([0.5, 0.4, 0.7]), 0.45) == pytest.approx(4)


def test_the_crossing_has_the_interval_it_promises():
    """Over simulated curves and items about 95% of the intervals hold the true crossing."""
    rng = np.random.default_rng(0)
    sizes = [10, 20, 40, 80, 160]
    truth = 10 * 2 ** (0.20 / 0.08)  # where .5 + .08 log2(n / 10) is .70
    covered = 0
    for _ in range(100):
        right = simulated(rng, seeds=8)
        weights = curves.item_weights(np.arange(400), rng, 200)
        # The rival is right on a random 70% of the items.
        rival = weights @ (rng.random(400) < 0.70)
        found = curves.crossing(sizes, curves.resampled(right, weights, rng), rival, 3)
        low = 0 if found.low is None or found.low <= sizes[0] else found.low
        high = np.inf if found.high is None else found.high
        covered += low <= truth <= high
    assert 88 <= covered <= 100


def test_a_curve_that_stays_below_says_so():
    """No labels, and the reason in words."""
    rng = np.random.default_rng(1)
    weights = curves.item_weights(np.arange(400), rng, 100)
    drawn = curves.resampled(simulated(rng), weights, rng)
    found = curves.crossing([10, 20, 40, 80, 160], drawn, np.full(101, 0.99), 3)
    assert (found.labels, found.low, found.high) == (None, None, None)
    assert found.reason.startswith("the curve does not reach 0.990: it is at 0.8")


def test_an_open_end_is_named():
    """A level near the top may need more labels than were tried; one near the bottom fewer."""
    rng = np.random.default_rng(2)
    weights = curves.item_weights(np.arange(400), rng, 200)
    drawn = curves.resampled(simulated(rng), weights, rng)
    top = curves.crossing([10, 20, 40, 80, 160], drawn, drawn[0, -1] - 0.003 + np.zeros(201), 3)
    assert top.high is None
    assert "more than the 160 labels" in top.reason
    bottom = curves.crossing([10, 20, 40, 80, 160], drawn, drawn[0, 0] + np.zeros(201), 3)
    assert bottom.low == 10
    assert "already with the 10 labels" in bottom.reason


def test_groups_of_items_are_drawn_whole():
    """Items of a group have the same weight in every resample, and weights add up to 1."""
    weights = curves.item_weights([0, 0, 0, 1, 2, 2], np.random.default_rng(0), 50)
    assert weights.sum(axis=1) == pytest.approx(np.ones(51))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 4] == weights[:, 5]).all()
    assert weights[0] == pytest.approx(np.full(6, 1 / 6))


def test_what_was_seen_stands_in_the_first_row():
    """The mean over seeds and items, with an interval around it."""
    rng = np.random.default_rng(3)
    right = simulated(rng)
    drawn = curves.resampled(right, curves.item_weights(np.arange(400), rng, 300), rng)
    assert drawn[0] == pytest.approx(right.mean(axis=(0, 2)))
    found = curves.estimate(drawn[:, 2], 400, 5)
    assert found.low < found.value < found.high
    assert "5 seeds" in found.method


@pytest.mark.parametrize(
    ("a", "b", "worth"),
    [
        # Straight lines from .5 to .7; b needs 100 labels more everywhere.
        (([100, 200], [0.5, 0.7]), ([200, 300], [0.5, 0.7]), 100),
        # b needs from 0 to 200 labels more: 100 on average.
        (([100, 200], [0.5, 0.7]), ([100, 400], [0.5, 0.7]), 100),
        # Only the band from .6 to .7 is shared: there a needs 150 to 200, b 200 to 300.
        (([100, 200], [0.5, 0.7]), ([200, 300], [0.6, 0.7]), 75),
        # A dip of b is passed over: it is at .6 from 200 on, and rises from 300.
        (([100, 200], [0.5, 0.7]), ([100, 200, 300, 400], [0.5, 0.6, 0.55, 0.7]), 100),
        (([100, 200], [0.7, 0.5]), ([100, 200], [0.8, 0.9]), None),
    ],
)
def test_label_worth_by_hand(a, b, worth):
    """The area between the curves along the labels, over the height of the band that both reach."""
    expected = np.nan if worth is None else worth
    assert curves.label_worth(a, b) == pytest.approx(expected, nan_ok=True)
    assert curves.label_worth(b, a) == pytest.approx(-expected, nan_ok=True)
    rows = (a[0], [a[1], a[1]]), (b[0], [b[1], b[1]])
    assert curves.label_worth(*rows) == pytest.approx([expected] * 2, nan_ok=True)


def test_flat_is_shown_not_seen():
    """A level curve is flat with many items; with few it is not shown to be, and a rising one never is."""
    rng = np.random.default_rng(4)
    level = np.broadcast_to(rng.random(3_000) < 0.8, (5, 4, 3_000)) ^ (rng.random((5, 4, 3_000)) < 0.01)
    weights = curves.item_weights(np.arange(3_000), rng, 300)
    assert curves.is_flat(curves.resampled(level, weights, rng), 0.01)
    few = level[:, :, :60] ^ (rng.random((5, 4, 60)) < 0.1)
    assert not curves.is_flat(curves.resampled(few, curves.item_weights(np.arange(60), rng, 300), rng), 0.01)
    rising = simulated(rng, items=3_000)
    assert not curves.is_flat(curves.resampled(rising, weights, rng), 0.01)


def test_extrapolation_is_a_wide_band():
    """Cut off at 16 per class, the band at twice as many holds what was published, and is several points wide."""
    rng = np.random.default_rng(5)
    seen = np.array(EMOTION[:4]) + rng.normal(0, 0.01, (60, 4))
    band = curves.extrapolated(PER_CLASS[:4], np.vstack([EMOTION[:4], seen]), 32)
    assert band.low < 0.6843 < band.high
    assert band.high - band.low > 0.05
    assert "a guess" in band.method
    assert curves.extrapolated(PER_CLASS[:3], seen[:, :3], 32) is None

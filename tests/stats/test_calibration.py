import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from harness.stats import calibration

CONFIDENCE = [0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.55, 0.5]
RIGHT = [1, 1, 1, 0, 1, 0, 1, 0]


def rng(seed=0):
    return np.random.default_rng(seed)


def simulated(n, seed, sharpen=1.0):
    """Confidences, and whether the answer was right: with `sharpen` 1 as often as the confidence says."""
    draws = rng(seed)
    truth = draws.uniform(0.3, 1.0, n)
    odds = (truth / (1 - truth + 1e-12)) ** sharpen
    return odds / (1 + odds), draws.uniform(size=n) < truth


def test_area_under_the_risk_coverage_curve():
    """The worked example: .180506, of which the best order would have had .103423; .077083 in excess."""
    assert calibration.aurc(CONFIDENCE, RIGHT, rng()).value == pytest.approx(0.180506, abs=5e-7)
    assert calibration.best_aurc(RIGHT) == pytest.approx(0.103423, abs=5e-7)
    assert calibration.excess_aurc(CONFIDENCE, RIGHT, rng()).value == pytest.approx(0.077083, abs=5e-7)


def test_equal_confidences_give_the_error_rate():
    """Confidences that tell nothing apart leave the plain error rate, in whatever order the items come."""
    for right in ([1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]):
        found = calibration.aurc([0.7] * 4, right, rng())
        assert found.value == pytest.approx(0.5)
        assert found.low < 0.5 < found.high


def test_ece_by_hand():
    """Two bins: (.95, .9, .6, .55, ...) above a half are 7 items of which 5 are right; .5 stands below."""
    above = abs(sum(CONFIDENCE[:7]) - 5)
    below = abs(0.5 - 0)
    found = calibration.ece(CONFIDENCE, RIGHT, rng(), bins=2)
    assert found.value == pytest.approx((above + below) / 8)
    assert found.n == 8
    assert "2 bins of equal width" in found.method


@pytest.mark.parametrize("scheme", ["width", "count"])
def test_ece_of_true_and_false_confidences(scheme):
    """Near 0 where answers are right as often as the confidence says; far from it where it is exaggerated."""
    honest = calibration.ece(*simulated(20_000, 1), rng(), scheme=scheme)
    boastful = calibration.ece(*simulated(20_000, 1, sharpen=3.0), rng(), scheme=scheme)
    assert honest.value < 0.015
    assert boastful.value > 0.1
    assert boastful.low < boastful.value < boastful.high


@pytest.mark.parametrize("measure", [calibration.ece, calibration.aurc, calibration.excess_aurc])
def test_the_order_of_items_decides_nothing(measure):
    """Items in another order give the same estimate, interval and all."""
    confidence, right = simulated(300, 2)
    confidence = confidence.round(2)
    order = rng(5).permutation(300)
    assert measure(confidence[order], right[order], rng()) == measure(confidence, right, rng())


@pytest.mark.parametrize("measure", [calibration.ece, calibration.aurc, calibration.excess_aurc])
def test_no_items_no_number(measure):
    """Without items there is no value, and no error."""
    found = measure([], [], rng())
    assert (found.value, found.low, found.high, found.n) == (None, None, None, 0)
    assert calibration.brier([], rng()).value is None
    assert calibration.accuracy_coverage([], [], [0.5]) == []


def test_brier_equals_scikit_learns():
    """Over all labels, not halved: scikit-learn's multiclass Brier score."""
    draws = rng(3)
    scores = draws.dirichlet(np.ones(5), size=200)
    gold = draws.integers(5, size=200)
    errors = calibration.squared_error(scores[np.arange(200), gold], (scores**2).sum(1), scores.sum(1), np.zeros(200))
    expected = brier_score_loss(gold, scores, labels=range(5), scale_by_half=False)
    assert calibration.brier(errors, rng()).value == pytest.approx(expected)


def test_labels_without_a_score_share_the_rest():
    """Of four labels, .7 and .1 known: the two others count as .1 each, gold among them or not."""
    known = {"squares": 0.7**2 + 0.1**2, "total": 0.8, "unnamed": 2}
    among, not_among = (calibration.squared_error(gold, **known) for gold in (0.7, np.nan))
    assert among == pytest.approx(0.3**2 + 3 * 0.1**2)
    assert not_among == pytest.approx(0.7**2 + 0.1**2 + 0.9**2 + 0.1**2)


def test_accuracy_at_chosen_shares():
    """Half of eight answers are the four of .8 and more, three of them right; equal ones stay together."""
    half, everything = calibration.accuracy_coverage(CONFIDENCE, RIGHT, [0.5, 1.0])
    assert (half.threshold, half.share, half.accuracy.value, half.accuracy.n) == (0.8, 0.5, 0.75, 4)
    assert (everything.threshold, everything.accuracy.value) == (0.5, 5 / 8)
    tied = calibration.accuracy_coverage([0.9, 0.5, 0.5, 0.5], [1, 1, 0, 0], [0.5])[0]
    assert (tied.share, tied.accuracy.n) == (1.0, 4)


def test_the_interval_holds_the_true_area():
    """Of 100 samples of 400 items, the 95% interval of AURC holds the area of the population in 89% to 100%."""
    population = calibration.aurc(*simulated(20_000, 7), rng()).value
    held = 0
    for seed in range(100):
        found = calibration.aurc(*simulated(400, 1_000 + seed), rng(seed))
        held += found.low <= population <= found.high
    assert 0.89 <= held / 100 <= 1


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2])
def test_prediction_sets_hold_what_they_promise(alpha):
    """Over 400 draws of 99 items to calibrate on, sets hold the gold label in 1 - alpha of new items, within .01."""
    draws, covered, sizes = rng(11), [], []
    for _ in range(400):
        scores = draws.dirichlet(np.full(6, 0.4), size=199)
        gold = np.minimum((scores.cumsum(axis=1) < draws.uniform(size=(199, 1))).sum(axis=1), 5)
        given = scores[np.arange(199), gold]
        sets = calibration.prediction_sets(scores[99:], calibration.conformal_threshold(given[:99], alpha))
        covered.append(sets[np.arange(100), gold[99:]].mean())
        sizes.append(sets.sum(axis=1).mean())
    assert np.mean(covered) == pytest.approx(1 - alpha, abs=0.01)
    assert 1 - alpha <= np.mean(sizes) < 6


def test_too_few_items_promise_nothing_less_than_everything():
    """Nine items cannot bear 95%: every label enters."""
    assert calibration.conformal_threshold(np.linspace(0.5, 0.9, 9), 0.05) == 0.0
    assert calibration.conformal_threshold(np.linspace(0.5, 0.9, 9), 0.1) == 0.5

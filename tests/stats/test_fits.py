"""Arms fitted several times: fits and items are both drawn, and nothing false is said oftener than promised."""

import numpy as np
import pytest

from harness.stats import best, fits, pairwise, shares

Z = 1.959964
N, ACCURACY, SPREAD = 400, 0.85, 0.03  # fits lie three points apart, as on few labels


def drawn(rng, seeds, gap=0.0):
    """A prompt that is right with ACCURACY, and a classifier whose fits vary around ACCURACY - gap: scores by fit."""
    hard = rng.random(N) * 2 - 1  # items differ, for both alike
    chance = ACCURACY + 0.1 * hard
    prompt = (rng.random(N) < chance).astype(float)
    offsets = rng.normal(-gap, SPREAD, size=seeds)
    fitted = (rng.random((N, seeds)) < (chance[:, None] + offsets)).astype(float)
    return prompt, fitted


def evidence(prompt, fitted):
    pairs = pairwise.units(np.column_stack([prompt, fitted.mean(axis=1)])).weighed()
    return pairs, fits.of([(), tuple(fitted.mean(axis=0))]).widened(pairs)


@pytest.mark.parametrize("seeds", [3, 5])
def test_a_lead_over_an_arm_that_varies_is_false_in_one_of_twenty(seeds):
    """Equal on the average over fits: shown to differ in at most 5%; by items alone in many more."""
    rng, draws, shown, by_items = np.random.default_rng(0), 1500, 0, 0
    for _ in range(draws):
        plain, widened = evidence(*drawn(rng, seeds))
        shown += best.ahead(widened).any()
        by_items += best.ahead(plain).any()
    assert shown / draws <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / draws)
    assert by_items / draws > 0.09


@pytest.mark.parametrize("seeds", [3, 5])
def test_a_loss_at_the_margin_is_rarely_called_close(seeds):
    """The classifier's mean fit is the margin worse: said to be close in at most 2.5%."""
    rng, draws, close = np.random.default_rng(1), 1500, 0
    for _ in range(draws):
        _, widened = evidence(*drawn(rng, seeds, gap=0.05))
        close += best.close(widened, 0.05)[1]
    assert close / draws <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / draws)


def of_arm(fitted):
    """The mean fit's share, by items alone and with the spread of the fits."""
    alone = shares.shares(fitted.mean(axis=1)[:, None])
    return alone, fits.of([tuple(fitted.mean(axis=0))]).spread(alone)


def test_the_interval_of_the_mean_fit_covers():
    """.94 or more with the fits in it, far less by items alone."""
    rng, draws, held, by_items = np.random.default_rng(2), 1000, 0, 0
    for _ in range(draws):
        alone, found = (one.limits() for one in of_arm(drawn(rng, 4)[1]))
        held += found[0] <= ACCURACY <= found[1]
        by_items += alone[0] <= ACCURACY <= alone[1]
    assert held / draws >= 0.94
    assert by_items / draws < 0.88


@pytest.mark.parametrize("seeds", [3, 5])
def test_a_floor_of_just_the_mean_fits_accuracy(seeds):
    """Said to be kept in at most 2.5%, and to be broken; by items alone in twice as many and more."""
    rng, draws, kept, broken, by_items = np.random.default_rng(4), 1500, 0, 0, 0
    for _ in range(draws):
        alone, found = (one.z(ACCURACY)[0] for one in of_arm(drawn(rng, seeds)[1]))
        kept, broken, by_items = kept + (found > Z), broken + (found < -Z), by_items + (abs(alone) > Z) / 2
    assert max(kept, broken) / draws <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / draws)
    assert by_items / draws > 0.05


def test_one_fit_changes_nothing():
    """Arms that were fitted once, or are prompts, keep every digit."""
    pairs, same = evidence(*drawn(np.random.default_rng(3), 1))
    assert same is pairs
    alone, found = of_arm(np.array([[0.0], [1], [1], [1]]))
    assert found is alone


def test_two_variances_by_hand():
    """Fits at .8, .9 and 1.0: a variance of .01 / 3 beside that of the items, at Satterthwaite's degrees of freedom."""
    held = fits.of([(), (0.8, 0.9, 1.0)])
    assert held.variance.tolist() == pytest.approx([0, 0.01 / 3])
    pairs = pairwise.units(np.column_stack([np.tile([1.0, 0, 1, 1], 25), np.tile([1.0, 1, 0, 1], 25)])).weighed()
    wide = held.widened(pairs)
    items = (50 - 0 + 2) / 100**2
    assert wide.design[0, 1] == pytest.approx(1 + (0.01 / 3) / items)
    assert wide.units[0, 1] - 1 == pytest.approx((items + 0.01 / 3) ** 2 / (items**2 / 99 + (0.01 / 3) ** 2 / 2))


def test_repeats_are_no_fits():
    """A prompt that was asked again has one seed; two repeats of a seed are one fit, and a run without a score none."""
    assert fits.by_seed([(0, 0.8), (0, 0.9)]) == ()
    assert fits.by_seed([(0, 0.8), (0, 0.9), (1, 0.7), (2, None)]) == pytest.approx((0.85, 0.7))

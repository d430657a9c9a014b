"""Items weighed to another mix of labels: the estimate and its error are those of a survey, and intervals cover."""

import numpy as np
import pytest

from harness.stats import pairwise, shares, strata

GOLD = np.array(["spam"] * 60 + ["ham"] * 140)


def test_the_estimate_is_the_surveys():
    """By hand: 45 of 60 and 133 of 140 at shares .1 and .9 are .1 x .75 + .9 x .95 = .93."""
    right = np.concatenate([np.ones(45), np.zeros(15), np.ones(133), np.zeros(7)])[:, None]
    found = shares.shares(right, strata=strata.of(GOLD, {"spam": 0.1, "ham": 0.9}))
    assert found.mean[0] == pytest.approx(0.93)


def test_the_error_is_the_surveys():
    """Cochran 1977, 5A.9: the variance of the mean is the sum of W squared s squared over n, for one arm and for pairs.

    Here s squared is p (1 - p) n / (n - 1): .01 x .190678 / 60 + .81 x .047842 / 140 = .00030858. Two imagined items
    come on top, which weigh as those do that the variance comes from.
    """
    rng = np.random.default_rng(0)
    right = np.concatenate([np.ones(45), np.zeros(15), np.ones(133), np.zeros(7)])
    by_hand = 0.01 * (0.75 * 0.25 * 60 / 59) / 60 + 0.81 * (0.95 * 0.05 * 140 / 139) / 140
    assert by_hand == pytest.approx(0.00030858, abs=1e-7)
    mix = strata.of(GOLD, {"spam": 0.1, "ham": 0.9})
    kish = float((mix.worth**2).mean())
    imagined = float((mix.worth**4).sum() / (mix.worth**2).sum())
    found = shares.shares(right[:, None], strata=mix)
    spread = 200 * 0.93 * (1 - 0.93)
    assert found.worth[0] == pytest.approx(200 * (spread + 2 * kish) / (200**2 * by_hand + 2 * imagined))

    both = np.column_stack([right, rng.permutation(right)])
    gap = both[:, 0] - both[:, 1]
    of_pairs = sum(
        share**2 * gap[label == GOLD].var(ddof=1) / (label == GOLD).sum()
        for label, share in (("spam", 0.1), ("ham", 0.9))
    )
    pairs = pairwise.units(both, None, mix).weighed()
    mean = pairs.difference[0, 1]
    assert mean == pytest.approx(0.1 * gap[GOLD == "spam"].mean() + 0.9 * gap[GOLD == "ham"].mean())
    assumed = pairs.wins[0, 1] + pairs.losses[0, 1] - 200 * mean**2
    assert pairs.units[0, 1] == pytest.approx((mix.worth**2).sum() ** 2 / (mix.worth**4).sum())
    assert pairs.design[0, 1] == pytest.approx((200**2 * of_pairs + 2 * imagined) / (assumed + 2 * kish))


def test_the_samples_own_mix_changes_no_estimate():
    """Weighed to what they are, means are the plain ones, and intervals hardly wider (degrees of freedom)."""
    rng = np.random.default_rng(1)
    scores = (rng.random((200, 2)) < 0.8).astype(float)
    own = strata.of(GOLD, {"spam": 0.3})
    weighed, plain = shares.shares(scores, strata=own), shares.shares(scores)
    assert np.allclose(own.worth, 1)
    assert np.allclose(weighed.mean, plain.mean)
    assert (np.ptp(weighed.limits(), axis=0) < 1.05 * np.ptp(plain.limits(), axis=0)).all()


def test_labels_that_are_not_named_share_the_rest_as_they_come():
    """Half is spam; ham and news, seen two to one, have a third and a sixth."""
    gold = np.array(["spam"] * 10 + ["ham"] * 20 + ["news"] * 10)
    found = strata.of(gold, {"spam": 0.5})
    assert [found.worth[gold == name].sum() / 40 for name in ("spam", "ham", "news")] == pytest.approx(
        [1 / 2, 1 / 3, 1 / 6]
    )


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ({"spam": 0.5, "ham": 0.6}, "sum to 1.1"),
        ({"spam": 0.5, "ham": 0.4}, "sum to 0.9"),
        ({"news": 0.5}, "no item has that label"),
        ({"spam": -0.1}, "sum to -0.1"),
    ],
)
def test_a_mix_that_is_none_is_refused(mix, said):
    """Shares that do not make one, or a label that was never measured."""
    with pytest.raises(ValueError, match=said):
        strata.of(GOLD, mix)


TRUTHS = ((0.75, 0.95), (0.5, 0.8), (0.9, 0.99), (0.6, 0.98), (0.95, 0.95), (0.98, 0.8))


def covered(n, own, share, draws, rng):
    """How often each truth's interval holds it: recalls of spam and ham, spam `own` of the sample, weighed to `share`.

    An arm is a draw, so that all draws go through the product's own function at once.
    """
    gold = np.where(np.arange(n) < round(n * own), "spam", "ham")
    held, found = strata.of(gold, {"spam": share}), []
    for spam, ham in TRUTHS:
        right = (rng.random((n, draws)) < np.where(gold == "spam", spam, ham)[:, None]).astype(float)
        low, high = shares.shares(right, strata=held).limits()
        truth = share * spam + (1 - share) * ham
        found.append(float(np.mean((low <= truth) & (truth <= high))))
    return found


@pytest.mark.parametrize(("own", "share"), [(0.3, 0.05), (0.1, 0.5), (0.04, 0.3)])
def test_intervals_cover_at_another_mix(own, share):
    """.94 on the average and nowhere below .90, at a label with two items that is to count for a third as well.

    With two imagined items of Kish's weight, and a degree of freedom an item, a cell held the truth in .73.
    """
    rng, draws = np.random.default_rng(2), 400
    rates = [rate for n in (50, 400) for rate in covered(n, own, share, draws, rng)]
    assert min(rates) >= 0.90 - 2 * np.sqrt(0.09 / draws)
    assert np.mean(rates) >= 0.94


@pytest.mark.sims
def test_intervals_cover_at_every_mix():
    """The same over all sizes and mixes, 2,000 samples a cell."""
    rng, rates = np.random.default_rng(3), {}
    for n in (50, 100, 400, 3000):
        for mix in ((0.3, 0.1), (0.3, 0.05), (0.1, 0.5), (0.5, 0.9), (0.04, 0.3)):
            rates[n, mix] = covered(n, *mix, 2000, rng)
            print(n, mix, [round(rate, 3) for rate in rates[n, mix]])
    every = np.concatenate(list(rates.values()))
    print(f"{len(every)} cells: mean {every.mean():.4f}, lowest {every.min():.4f}")
    assert every.mean() >= 0.94
    assert every.min() >= 0.90


@pytest.mark.parametrize("n", [100, 400])
@pytest.mark.parametrize("mix", [{"spam": 0.05, "ham": 0.95}, {"spam": 0.9, "ham": 0.1}])
def test_intervals_cover_and_nothing_false_is_said(n, mix):
    """Samples of 3 to 7 spam to ham, weighed to another mix: intervals cover .93, and a lead is false in 2.5%."""
    rng, draws, covered, wrong = np.random.default_rng(2), 500, 0, 0
    p = {"spam": (0.7, 0.6), "ham": (0.95, 0.95 + 0.1 * mix["spam"] / mix["ham"] if mix["ham"] > 0.5 else 0.99)}
    truth = [sum(mix[label] * p[label][arm] for label in mix) for arm in (0, 1)]
    for _ in range(draws):
        gold = np.where(rng.random(n) < 0.3, "spam", "ham")
        chance = np.array([p[label] for label in gold])
        scores = (rng.random((n, 2)) < chance).astype(float)
        held = strata.of(gold, mix)
        low, high = shares.shares(scores, strata=held).limits()
        covered += np.mean((low <= truth) & (truth <= high))
        z = pairwise.units(scores, None, held).weighed().z(truth[0] - truth[1])
        wrong += (abs(z[0, 1]) > 1.96) / 2
    assert covered / draws >= 0.93
    assert wrong / draws <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / draws)

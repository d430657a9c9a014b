"""Estimates from few labels hold what they promise: intervals cover, and are not wider than gold's own."""

from itertools import product

import numpy as np
import pytest

from tests.sims.few_label_arms import counted
from tests.sims.label_worlds import ACCURACIES, DRAWS, GUESSES, PRIORS, SIZES, World, simulate

WHATS = ("accuracy", "recall", "difference", "macro-F1")
DRAWN = 300
ENOUGH = 100  # of the draws that gave an interval
CELLS = [(what, how, name) for what in WHATS for how in DRAWS for name in PRIORS]


def floor(share, draws):
    """The promise less two and a half standard errors of the simulation, for many cells are looked at."""
    return share - 2.5 * np.sqrt(share * (1 - share) / draws)


def test_forty_labels():
    """The cheap cell: accuracy from 50 random labels with good guesses, covered and narrower."""
    counted = simulate("accuracy", World(PRIORS["even"], (0.7, 0.65), "good"), "random", 50, 200)
    assert counted.rate >= floor(0.95, 200)
    assert counted.ratio < 0.95


def test_a_rare_label_in_a_draw_of_differences():
    """Its few items may all be ones that arms differ on: the interval knows that others weigh more."""
    counted = simulate("recall", World(PRIORS["rare"], (0.95, 0.9), "good"), "discordant", 30, 150)
    assert counted.rate >= floor(0.90, counted.draws)


@pytest.mark.sims
@pytest.mark.parametrize(("what", "how", "name"), CELLS)
def test_coverage(what, how, name):
    """Nowhere below .90, at least .94 averaged over truths, guesses and sizes; on average not wider than gold alone."""
    rates, ratios = [], []
    for accuracies, guesses, n in product(ACCURACIES, GUESSES, SIZES):
        counted = simulate(what, World(PRIORS[name], accuracies, guesses), how, n, DRAWN)
        if counted.draws < ENOUGH:
            continue  # too few of a label to say anything, most of the time: nothing was said
        print(what, how, name, accuracies, guesses, n, f"{counted.rate:.3f}", f"width x{counted.ratio:.2f}")
        assert counted.rate >= floor(0.90, counted.draws), (accuracies, guesses, n)
        rates.append(counted.rate)
        ratios.append(counted.ratio)
    assert not rates or np.mean(rates) >= floor(0.94, DRAWN * len(rates))
    assert not ratios or np.mean(ratios) <= 1.005
    print("cell", what, how, name, f"mean {np.mean(rates):.3f}, least {min(rates):.3f}, width x{np.mean(ratios):.2f}")


@pytest.mark.sims
@pytest.mark.parametrize("how", ["random", "disagreement"])
@pytest.mark.parametrize("n", [40, 100])
@pytest.mark.parametrize("accuracies", [(0.8, 0.8, 0.8, 0.8), (0.85, 0.8, 0.7, 0.85), (0.95, 0.9, 0.9, 0.85)])
def test_all_pairs_together(accuracies, n, how):
    """Of four arms: intervals hold for all six pairs at once, no false difference, no arm wrongly called close."""
    missed, shown, close = counted(accuracies, n, how, 100, margin=0.05)
    print(accuracies, n, how, f"missed {missed:.2f}, shown wrongly {shown:.2f}, close wrongly {close:.2f}")
    assert missed <= 1 - floor(0.95, 100)
    assert shown <= 1 - floor(0.95, 100)
    assert close <= 1 - floor(0.975, 100)

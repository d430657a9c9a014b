"""Simulated deploys through the gate's own code: it blocks what is worse, and noise never."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from harness.analysis import gate
from harness.analysis.gate.regressions import Part, family
from harness.ground.gate_settings import GateSettings
from harness.stats.margins import Evidence, Weights
from harness.stats.pairwise import Pairwise
from harness.types import Estimate
from tests.analysis.gate.conftest import LABELS, drawn, measured
from tests.stats.enumeration import tables

ROWS = [
    (20, 0.03, 0.01, 0.02),
    (50, 0.03, 0.01, 0.02),
    (50, 0.02, 0, 0.02),
    (20, 0.05, 0, 0.05),
    (50, 0.05, 0, 0.05),
    (50, 0.10, 0.05, 0.05),
    (100, 0.03, 0.01, 0.02),
    (200, 0.03, 0.01, 0.02),
    (100, 0.10, 0.05, 0.05),
    (500, 0.06, 0.04, 0.02),
]
RUNS = 100


def verdict(n, only_a, only_b, margin):
    found = Evidence(Estimate("accuracy", (only_a - only_b) / n, None, None, n, "Tango"), Weights(n, only_a, only_b))
    (check,) = family([Part("accuracy", found)], margin, GateSettings(margin=margin), must_pass=True)
    return check.verdict


@pytest.mark.parametrize(("n", "only_baseline", "only_candidate", "margin"), ROWS)
def test_a_loss_at_the_margin_passes_in_one_of_forty(n, only_baseline, only_candidate, margin):
    """True loss exactly at the margin, every outcome counted: passes at most 2.5%, fails at most 2.5%."""
    shares = {"pass": 0.0, "fail": 0.0, "inconclusive": 0.0}
    for weight, table in tables(n, only_candidate, only_baseline):
        shares[verdict(n, table.only_a, table.only_b, margin)] += weight
    assert shares["pass"] <= 0.025
    assert shares["fail"] <= 0.025


def deploys(n, only_a, only_b, settings, runs=RUNS, seed=0):
    """How often each verdict came, over simulated deploys."""
    rng, shares = np.random.default_rng(seed), {"pass": 0.0, "fail": 0.0, "inconclusive": 0.0}
    for _ in range(runs):
        candidate, baseline = drawn(rng, n, only_a, only_b)
        shares[gate.check(measured(candidate, baseline), settings).verdict] += 1 / runs
    return shares


def sufficient(disagreement, settings):
    seen = Evidence(Estimate("x", 0, None, None, 1, ""), Weights(1e6, 5e5 * disagreement, 5e5 * disagreement))
    return seen.needed_n(settings.margin, settings.alpha, settings.power)


@pytest.mark.parametrize(("margin", "disagreement"), [(0.05, 0.1), (0.05, 0.2)])
def test_at_the_n_it_calls_sufficient(margin, disagreement):
    """No true difference: fails at most 5% and passes nine of ten; twice the margin lost: passes at most 5%."""
    settings = GateSettings(margin=margin)
    n, half = sufficient(disagreement, settings), disagreement / 2
    same = deploys(n, half, half, settings)
    assert same["fail"] <= 0.05
    assert same["pass"] >= 0.8
    worse = deploys(n, half - margin, half + margin, settings)
    assert worse["pass"] <= 0.05
    assert worse["fail"] >= 0.8


def test_below_that_it_says_that_it_cannot_tell():
    """At a tenth of that n neither a candidate as good nor one that is worse gets a verdict as a rule."""
    settings = GateSettings(margin=0.05)
    n = sufficient(0.1, settings) // 10
    for only_a, only_b in ((0.05, 0.05), (0.0, 0.1)):
        shares = deploys(n, only_a, only_b, settings)
        assert shares["inconclusive"] >= 0.8
        assert shares["fail"] <= 0.2


def test_the_number_it_names_settles_it():
    """An inconclusive report names an n; at that n the same rates pass."""
    rng = np.random.default_rng(1)
    settings = GateSettings(margin=0.05)
    report = gate.check(measured(*drawn(rng, 60, 0.05, 0.05)), settings)
    assert report.verdict == "inconclusive"
    shares = deploys(report.needed_n, 0.05, 0.05, settings, runs=60)
    assert shares["pass"] >= 0.8


def test_noise_in_classes_and_slices_does_not_fail():
    """Eight small slices and four classes, no true difference: the whole gate fails at most 5%."""
    rng, failed = np.random.default_rng(2), 0
    parts = {f"s{k}": frozenset(f"i{i}" for i in range(k, 160, 8)) for k in range(8)}
    for _ in range(RUNS):
        one = replace(measured(*drawn(rng, 160, 0.08, 0.08)), slices=parts)
        failed += gate.check(one, GateSettings()).verdict == "fail"
    assert failed / RUNS <= 0.05


def test_one_broken_class_is_caught():
    """A class of a quarter of the items loses half its recall while the others gain as much: fail, and it is named."""
    rng, caught = np.random.default_rng(3), 0
    for _ in range(40):
        gold = np.array([LABELS[i % 4] for i in range(400)])
        baseline = rng.random(400) < 0.8
        mine = gold == "billing"
        candidate = np.where(mine, rng.random(400) < 0.4, baseline | (rng.random(400) < 0.65))
        report = gate.check(measured(candidate, baseline, gold=list(gold)), GateSettings(margin=0.2))
        failed = [check.name for check in report.checks if check.verdict == "fail"]
        caught += failed == ["recall of billing"]
    assert caught >= 36


CLASSES = 77
LOSSES = [(0.03, 0.01), (0.06, 0.04), (0.11, 0.09)]  # lost and won: a loss of just the margin of .02


def passes(n, won, lost, margin):
    """Whether the gate passes each of many tables, by the score test that `family` makes of one."""
    shape = np.zeros((len(won), 2, 2))
    wins, losses = shape.copy(), shape.copy()
    wins[:, 0, 1] = losses[:, 1, 0] = won
    losses[:, 0, 1] = wins[:, 1, 0] = lost
    full = np.full_like(shape, float(n))
    pairs = Pairwise(full, wins, losses, np.ones_like(shape), full, is_exact=True)
    return pairs.z(-margin)[:, 0, 1] >= NormalDist().inv_cdf(1 - GateSettings().alpha)


@pytest.mark.parametrize("n", [10 * CLASSES, 40 * CLASSES])
@pytest.mark.parametrize(("lost", "won"), LOSSES)
def test_a_loss_at_the_margin_on_a_set_of_77_classes(n, lost, won):
    """At most 2.5% of 50,000 samples pass, by the very test of one table; watching classes can only fail more."""
    rng, draws = np.random.default_rng(5), 50_000
    cells = rng.multinomial(n, [won, lost, 1 - won - lost], size=draws)
    passed = passes(n, cells[:, 0], cells[:, 1], 0.02)
    assert [bool(one) for one in passed[:25]] == [verdict(n, a, b, 0.02) == "pass" for a, b, _ in cells[:25].tolist()]
    assert passed.mean() <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / draws)


@pytest.mark.sims
@pytest.mark.parametrize(("lost", "won"), LOSSES)
def test_the_whole_gate_on_77_classes(lost, won):
    """The same through the whole gate, each class watched, 1,000 deploys: passes at most 2.5%."""
    rng, draws, settings = np.random.default_rng(6), 1000, GateSettings()
    gold, counted = [f"c{i % CLASSES}" for i in range(10 * CLASSES)], {"pass": 0, "fail": 0, "inconclusive": 0}
    for _ in range(draws):
        counted[gate.check(measured(*drawn(rng, len(gold), won, lost), gold=gold), settings).verdict] += 1
    print(lost, won, counted)
    assert counted["pass"] / draws <= 0.025 + 2 * np.sqrt(0.025 * 0.975 / draws)
    assert counted["fail"] / draws <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / draws)

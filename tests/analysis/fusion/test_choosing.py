from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.fusion.choosing import choose
from harness.analysis.fusion.sweep import sweep, walk
from harness.ground.constraints import Constraints
from harness.stats import strata

ARMS = {"cheap": {"right": 0.7, "cost": 0.001}, "dear": {"right": 0.9, "cost": 0.1}}
LIMITS = Constraints()


@pytest.fixture
def swept(made):
    """A cascade over 300 items, every setting."""
    return sweep(made(300, **ARMS)[1])


def test_the_cheapest_within_the_margin_of_the_most_accurate(swept):
    """Nothing cheaper is as close to the best; with no margin it is the best itself."""
    row = choose(swept, LIMITS).row
    cheaper = swept.cost_usd < swept.cost_usd[row]
    assert swept.accuracy[row] >= swept.accuracy.max() - 0.02 - 1e-9
    assert (swept.accuracy[cheaper] < swept.accuracy.max() - 0.02).all()
    exact = choose(swept, replace(LIMITS, margin=0.0)).row
    assert swept.accuracy[exact] == swept.accuracy.max()
    assert (swept.accuracy[swept.cost_usd < swept.cost_usd[exact]] < swept.accuracy.max()).all()


def test_a_least_accuracy_takes_the_cheapest_that_reaches_it(swept):
    """However much more accurate others are."""
    row = choose(swept, replace(LIMITS, min_accuracy=0.75)).row
    assert swept.accuracy[row] >= 0.75
    assert (swept.accuracy[swept.cost_usd < swept.cost_usd[row]] < 0.75).all()


def test_a_mix_of_labels_weighs_what_is_chosen_by(swept):
    """The accuracy that is reached at the threshold is that of the items weighed to the mix, and the reason says so."""
    gold = swept.members.rows["gold"].to_numpy(object)
    mix = {gold[0]: 0.9}
    worth = strata.of(gold, mix).worth
    by_hand = [float((walk(swept.members, thresholds).credit * worth).mean()) for thresholds in swept.thresholds]
    choice = choose(swept, Constraints(label_mix=mix))
    floor = max(by_hand) - Constraints().margin
    close = [row for row, value in enumerate(by_hand) if value >= floor - 1e-9]
    assert by_hand[choice.row] >= floor - 1e-9
    assert swept.cost_usd[choice.row] == min(swept.cost_usd[row] for row in close)
    assert f"weighed to your mix of labels ({gold[0]} .900)" in choice.reason


def test_limits_on_cost_and_waiting(swept):
    """Only settings that keep them are taken; the most accurate of those is the reference."""
    row = choose(swept, replace(LIMITS, max_usd_per_1000=20.0)).row
    kept = 1000 * swept.cost_usd <= 20.0
    assert kept[row]
    assert swept.accuracy[row] >= swept.accuracy[kept].max() - 0.02 - 1e-9
    row = choose(swept, replace(LIMITS, max_p95_s=0.4)).row
    assert swept.p95_s(row) <= 0.4
    slow = choose(swept, replace(LIMITS, margin=0.0)).row
    assert swept.p95_s(slow) > 0.4


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"min_accuracy": 0.999}, "no threshold reaches an accuracy of 0.999; the most is"),
        ({"max_usd_per_1000": 0.5}, "no threshold costs as little as $0.5 per 1,000"),
        ({"max_p95_s": 0.0001}, "no threshold that keeps the other limits has a p95 of 0.0001 s or less"),
    ],
)
def test_what_cannot_be_kept_is_said(swept, limits, said):
    """No row, and the limit that is in the way."""
    found = choose(swept, replace(LIMITS, **limits))
    assert found.row is None
    assert said in found.reason


def test_an_unknown_price_is_never_the_cheaper_one(made):
    """It keeps no limit on cost; among settings without a price fewer dear calls come first."""
    swept = sweep(made(300, cheap=ARMS["cheap"], dear={"right": 0.9, "cost": None})[1])
    row = choose(swept, replace(LIMITS, max_usd_per_1000=500.0)).row
    assert swept.asked[row, 1] == 0
    row = choose(swept, LIMITS).row
    close = swept.accuracy >= swept.accuracy.max() - 0.02 - 1e-9
    assert swept.asked[row, 1] == swept.asked[close, 1].min()
    assert np.isnan(swept.cost_usd[row])

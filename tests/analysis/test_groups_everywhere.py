"""Where items come in groups, every interval is that of the groups: calibration, curves, cascades, figures."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.curves import Learnt, Rival, analyse
from harness.analysis.fusion import study
from harness.analysis.fusion.members import members
from harness.analysis.fusion.sweep import sweep
from harness.analysis.panel import Answers, codes_of
from harness.ground.constraints import Constraints
from harness.report.figures import cascade
from harness.stats import calibration, margins
from tests.analysis.fusion.conftest import LABELS, drawn, rows

N, SIZE = 300, 5
CODES = np.arange(N) // SIZE


def width(estimate):
    return estimate.high - estimate.low


def alike(rng):
    """A group's items are right together and as sure: 60 groups say no more than 60 items."""
    sure, right = rng.random(N // SIZE), rng.random(N // SIZE) < 0.8
    return np.repeat(sure, SIZE), np.repeat(right, SIZE)


@pytest.mark.parametrize("metric", [calibration.ece, calibration.aurc])
def test_calibration_in_groups(metric):
    """The interval of five equal items a group is that of one of them, and twice as wide as of as many items."""
    sure, right = alike(np.random.default_rng(0))
    together = metric(sure, right, np.random.default_rng(1), groups=CODES)
    one_each = metric(sure[::SIZE], right[::SIZE], np.random.default_rng(1))
    alone = metric(sure, right, np.random.default_rng(1))
    assert together.value == alone.value
    assert "60 clusters" in together.method
    assert width(together) == pytest.approx(width(one_each), rel=0.15)
    assert width(together) > 1.7 * width(alone)


def test_brier_in_groups():
    """The same of the Brier score."""
    errors = np.repeat(np.random.default_rng(2).random(N // SIZE), SIZE)
    together = calibration.brier(errors, np.random.default_rng(1), groups=CODES)
    one_each = calibration.brier(errors[::SIZE], np.random.default_rng(1))
    assert (together.value, width(together)) == pytest.approx((one_each.value, width(one_each)), rel=0.1)


def test_groups_of_one_change_no_digit():
    """Codes that are all different are no groups."""
    sure, right = alike(np.random.default_rng(3))
    plain, coded = (calibration.ece(sure, right, np.random.default_rng(1), groups=of) for of in (None, np.arange(N)))
    assert plain == coded


def test_a_curve_and_its_level_in_groups():
    """Points and the rival's level are of 60 groups."""
    _, right = alike(np.random.default_rng(4))
    items = tuple(f"i{i:03}" for i in range(N))
    learnt = Learnt("arm", (10, 20), np.stack([np.stack([right, right])] * 3).astype(float), items)
    rival = Rival("rival", dict(zip(items, right.astype(float), strict=True)))
    groups = dict(zip(items, map(str, CODES), strict=True))
    (wide,), (narrow,) = (
        analyse([learnt], of, rival, 0.0, np.random.default_rng(5), with_guess=False) for of in (groups, {})
    )
    assert width(wide.level) > 1.8 * width(narrow.level)
    assert width(wide.points[0].estimate) > 1.8 * width(narrow.points[0].estimate)


def grouped_members():
    rng = np.random.default_rng(6)
    gold = [LABELS[i % 3] for i in range(N)]
    groups = [f"g{code}" for code in CODES]
    said = {arm: drawn(arm, gold, rng, right=right, cost=cost) for arm, right, cost in (("a", 0.7, 1), ("b", 0.9, 9))}
    return members([Answers(arm, rows(one, gold, groups)) for arm, one in said.items()]).whole()


def test_a_cascade_in_groups():
    """The fusion's accuracy, its members' and the oracle's are those of groups; so is every point of the figure."""
    made = grouped_members()
    found = study.cascade("cascade:a>b", made, replace(made), Constraints())
    assert "60 clusters" in found.tested.estimate.method
    assert all("60 clusters" in one.accuracy.method for one in found.tested.members)
    assert "60 clusters" in found.oracle.accuracy.method

    swept, codes = sweep(made), codes_of(made.rows)
    sums = cascade._of_groups(made, codes, swept.thresholds[:, 0])
    for k in range(0, len(swept), 20):
        stays = made.arms[0].confidence >= swept.thresholds[k, 0]
        credit = np.where(stays, made.arms[0].credit, made.arms[1].credit)
        expected = margins.share(credit, codes)
        given = margins.share_of_sums(float(credit.sum()), float((credit**2).sum()), N, groups=sums[k])
        assert (given.low, given.high) == pytest.approx((expected.low, expected.high), abs=1e-12)

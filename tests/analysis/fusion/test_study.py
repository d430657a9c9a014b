import numpy as np
import pytest

from harness.analysis.comparison import Answers
from harness.analysis.fusion import study
from harness.analysis.fusion.members import folds, members
from harness.analysis.fusion.sweep import sweep, walk
from harness.ground.constraints import Constraints
from tests.analysis.fusion.conftest import LABELS, drawn, rows

ARMS = {"cheap": {"right": 0.75, "cost": 0.001}, "dear": {"right": 0.85, "cost": 0.1}}
LIMITS = Constraints()


def tried(chooser, tested, limits=LIMITS):
    return study.cascade("cascade:cheap>dear", chooser, tested, limits)


def test_what_dev_chose_is_what_test_is_scored_with(made):
    """The reported accuracy, cost and shares are those of the chosen threshold on the other split."""
    _, dev = made(200, seed=1, **ARMS)
    _, test = made(300, seed=2, **ARMS)
    found = tried(dev, test)
    (threshold,) = found.chosen.thresholds
    walked = walk(test, [threshold])
    assert found.tested.estimate.value == pytest.approx(walked.credit.mean())
    assert found.tested.cost == pytest.approx(1000 * walked.cost_usd.mean())
    assert found.tested.answered_by == pytest.approx([(walked.by == 0).mean(), (walked.by == 1).mean()])
    assert not found.is_crossfitted
    assert len(found.settings) == len(sweep(dev))


def test_compared_with_each_member_on_the_same_items(made):
    """The difference is the cascade minus the member, its p-value corrected for their number."""
    _, dev = made(200, seed=1, **ARMS)
    _, test = made(300, seed=2, **ARMS)
    found = tried(dev, test)
    for member, one in zip(test.arms, found.tested.against, strict=True):
        assert one.b == member.arm
        assert one.difference.value == pytest.approx(found.tested.estimate.value - member.accuracy)
        assert one.adjusted_p >= one.p_value


def test_oracle_and_random_line(made):
    """The oracle is right where any member is; chance is the members' mean, weighted as they answered."""
    _, dev = made(200, seed=1, **ARMS)
    _, test = made(300, seed=2, **ARMS)
    found = tried(dev, test)
    cheap, dear = test.arms
    assert found.oracle.accuracy.value == pytest.approx(np.maximum(cheap.credit, dear.credit).mean())
    worth = min((dear.credit > cheap.credit).sum(), (cheap.credit > dear.credit).sum()) / 300
    assert found.oracle.worth == pytest.approx(worth)
    share = found.tested.answered_by[1]
    by_lot = cheap.accuracy + share * (dear.accuracy - cheap.accuracy)
    assert found.random_line.accuracy == pytest.approx(by_lot)
    assert found.random_line.lead.value == pytest.approx(found.tested.estimate.value - by_lot)
    assert found.oracle.at_share >= found.tested.estimate.value
    gap = (found.tested.estimate.value - cheap.accuracy) / (dear.accuracy - cheap.accuracy)
    assert found.random_line.recovered == pytest.approx(gap)


def test_a_score_that_knows_nothing_is_not_better_than_chance():
    """Over many draws the lead over chance has its interval around 0 about as often as it promises."""
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        gold = [LABELS[i % 3] for i in range(200)]
        arms = []
        for name, right in (("cheap", 0.6), ("dear", 0.9)):
            frame = rows(drawn(name, gold, rng, right=right, cost=0.1), gold)
            arms.append(Answers(name, frame.assign(score=rng.random(200))))
        both = members(arms)
        lead = study._random_line(both, walk(both, [0.5])).lead
        covered += lead.low <= 0 <= lead.high
    assert covered >= 52


def test_no_threshold_is_scored_on_the_items_that_chose_it(made):
    """Cross-fitted, scores of pure noise promise nothing; the best threshold of the same items would."""
    _, both = made(90, seed=5, cheap={"right": 0.5, "cost": 0.001}, dear={"right": 0.5, "cost": 0.1})
    found = tried(both, both, Constraints(margin=0.001))
    assert found.is_crossfitted
    best_of_the_same = sweep(both).accuracy.max()
    assert found.tested.estimate.value < best_of_the_same
    assert found.tested.estimate.n == 90


def test_folds_keep_groups_together(made):
    """Near-duplicates neither choose nor are reported apart from each other."""
    groups = [f"g{i // 3}" for i in range(90)]
    _, both = made(90, groups=groups, **ARMS)
    seen = dict.fromkeys(groups)
    for group, fold in zip(both.rows["group"], folds(both), strict=True):
        assert seen[group] in (None, fold)
        seen[group] = fold
    assert len(set(seen.values())) > 5


def test_failed_items_are_counted_not_scored(made):
    """An outage of any member takes the item out of everything that is reported."""
    arms = {"cheap": ARMS["cheap"] | {"failed": 0.1}, "dear": ARMS["dear"] | {"failed": 0.1}}
    _, dev = made(200, seed=1, **arms)
    _, test = made(300, seed=2, **arms)
    found = tried(dev, test)
    assert found.tested.failed == int((~test.is_whole).sum()) > 30
    assert found.tested.estimate.n == found.oracle.accuracy.n == 300 - found.tested.failed


def test_nothing_chosen_is_nothing_reported(made):
    """Limits that nothing keeps: the settings, the reason, the oracle, and no score."""
    _, dev = made(100, seed=1, **ARMS)
    _, test = made(100, seed=2, **ARMS)
    found = tried(dev, test, Constraints(min_accuracy=1.0))
    assert (found.chosen, found.tested, found.random_line) == (None, None, None)
    assert "no threshold reaches" in found.reason
    assert found.settings
    assert found.oracle.at_share is None

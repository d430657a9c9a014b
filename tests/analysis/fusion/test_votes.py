import asyncio

import pytest

from harness.analysis.fusion import study
from harness.analysis.fusion.votes import Weighted, counted, tally
from harness.arms.replay import ReplayArm
from harness.arms.vote import VoteArm
from harness.types import Item, Outcome

ARMS = {
    "first": {"right": 0.6, "cost": 0.001, "silent": 0.1},
    "second": {"right": 0.7, "cost": 0.01, "failed": 0.05},
    "third": {"right": 0.8, "cost": 0.1, "silent": 0.2},
}
RULES = ("vote", "vote-weighted", "vote-stacked")


@pytest.mark.parametrize("rule", RULES)
def test_the_tally_is_the_live_arm(made, rule):
    """Label, outcome, cost and latency of every item, as the arm gives them that asks its members."""
    _, dev = made(150, seed=1, **ARMS)
    said, test = made(120, seed=2, **ARMS)
    count = counted(rule, dev)
    arm = VoteArm([ReplayArm(name, predictions) for name, predictions in said.items()], count)
    predictions = asyncio.run(arm.predict([Item(item_id, "text") for item_id in sorted(said["first"])]))
    found = tally(count, test)
    assert list(found.labels) == [p.label for p in predictions]
    assert list(found.failed) == [p.outcome is Outcome.FAILED for p in predictions]
    answered = ~found.failed
    assert found.cost_usd[answered] == pytest.approx([p.cost_usd for p in predictions if p.cost_usd is not None])
    assert found.latency_s[answered] == pytest.approx([p.latency_s for p in predictions if p.latency_s is not None])
    assert all(sum(p.scores.values()) == pytest.approx(1) for p in predictions if p.scores)
    assert {p.path for p in predictions} == {("first", "second", "third")}


def test_majority_by_hand():
    """Most votes win, a tie goes to the most trusted voter, silence is no vote."""
    count = Weighted((1.0, 1.0, 1.0), (2, 0, 1))
    assert count.scores([("a", 1), ("a", 1), ("b", 1)]) == pytest.approx({"b": 1 / 3, "a": 2 / 3})
    assert next(iter(count.scores([("a", 1), (None, 0), ("b", 1)]))) == "b"
    assert count.scores([(None, 0)] * 3) == {}


def test_weights_are_log_odds(made):
    """A better member weighs more, and one that only guesses nothing."""
    _, dev = made(
        3_000, good={"right": 0.9, "cost": 1}, fair={"right": 0.6, "cost": 1}, guess={"right": 0.30, "cost": 1}
    )
    good, fair, guess = counted("vote-weighted", dev).weights
    assert good > 2 * fair > 0
    assert guess == 0


@pytest.mark.parametrize("rule", RULES)
def test_a_vote_is_reported_where_it_was_not_counted(made, rule):
    """Against each member, with the oracle, and without thresholds or a line of chance."""
    _, dev = made(150, seed=1, **ARMS)
    _, test = made(200, seed=2, **ARMS)
    found = study.vote(rule, f"{rule}:first+second+third", dev, test)
    assert (found.settings, found.chosen, found.random_line) == ((), None, None)
    assert [one.b for one in found.tested.against] == ["first", "second", "third"]
    assert found.tested.cost == pytest.approx(111)
    assert found.oracle.accuracy.value >= found.tested.estimate.value
    crossfitted = study.vote(rule, "vote", test, test)
    assert crossfitted.is_crossfitted
    assert crossfitted.tested.estimate.n == found.tested.estimate.n

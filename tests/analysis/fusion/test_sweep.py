import asyncio

import numpy as np
import pytest

from harness.analysis.fusion.members import NEVER
from harness.analysis.fusion.sweep import sweep, walk
from harness.arms.cascade import CascadeArm
from harness.arms.replay import ReplayArm
from harness.types import Item, Outcome

TWO = {
    "cheap": {"right": 0.7, "cost": 0.001, "failed": 0.05, "silent": 0.1},
    "dear": {"right": 0.9, "cost": 0.1, "failed": 0.03, "silent": 0.05},
}
THREE = {"rules": {"right": 0.8, "cost": 0.0001, "silent": 0.6, "scored": False}, **TWO}


def asked(said, thresholds):
    """The predictions of the live arm, its stages answering what they have stored."""
    arm = CascadeArm([ReplayArm(name, predictions) for name, predictions in said.items()], thresholds)
    items = [Item(item_id, "text") for item_id in sorted(next(iter(said.values())))]
    return asyncio.run(arm.predict(items))


@pytest.mark.parametrize("arms", [TWO, THREE], ids=["two", "three"])
def test_the_sweep_is_the_live_arm_at_every_threshold(made, arms):
    """Label, outcome, cost, latency and stage of every item, and each setting's sums, as the arm itself gives them."""
    said, members = made(40 if len(arms) == 3 else 120, **arms)
    swept = sweep(members)
    assert len(swept) > 20
    whole = set(swept.members.rows["example_id"])
    names = list(arms)
    for row in range(len(swept)):
        predictions = asked(said, swept.thresholds[row])
        walked = walk(members, swept.thresholds[row])
        assert list(walked.labels) == [p.label for p in predictions]
        assert list(walked.failed) == [p.outcome is Outcome.FAILED for p in predictions]
        assert [names[stage] for stage in walked.by] == [p.path[-1] for p in predictions]
        answered = ~walked.failed
        assert walked.cost_usd[answered] == pytest.approx([p.cost_usd for p in predictions if p.cost_usd is not None])
        assert walked.latency_s[answered] == pytest.approx(
            [p.latency_s for p in predictions if p.latency_s is not None]
        )
        scored = [p for p in predictions if p.item_id in whole]
        gold = dict(zip(members.rows["example_id"], members.rows["gold"], strict=True))
        assert swept.credit[row] == sum(p.label == gold[p.item_id] for p in scored)
        assert swept.cost_usd[row] == pytest.approx(np.mean([p.cost_usd for p in scored]))
        assert swept.asked[row] == pytest.approx([np.mean([name in p.path for p in scored]) for name in names])


def test_every_threshold_that_changes_anything(made):
    """No other threshold sends other items on: each distinct score once, and one that none reaches."""
    _, members = made(cheap={"right": 0.7, "cost": 0.001}, dear={"right": 0.9, "cost": 0.1})
    swept = sweep(members)
    scores = members.arms[0].confidence
    assert sorted(swept.thresholds[:, 0]) == sorted({*scores, NEVER})
    seen = {tuple(scores >= threshold) for threshold in swept.thresholds[:, 0]}
    tried = {tuple(scores >= threshold) for threshold in np.linspace(0, 1.01, 2_000)}
    assert len(seen) == len(swept)
    assert tried <= seen


def test_the_ends_are_the_members(made):
    """Where the cheap arm keeps every answer it is the cheap arm; where none, the dear one with both bills."""
    _, members = made(cheap={"right": 0.7, "cost": 0.001}, dear={"right": 0.9, "cost": 0.1})
    swept = sweep(members)
    assert swept.accuracy[0] == pytest.approx(members.arms[1].accuracy)
    assert swept.accuracy[-1] == pytest.approx(members.arms[0].accuracy)
    assert swept.cost_usd[0] == pytest.approx(0.101)
    assert swept.cost_usd[-1] == pytest.approx(0.001)
    assert swept.p95_s(len(swept) - 1) == pytest.approx(0.005)


def test_an_unknown_price_is_not_free(made):
    """Where an arm without a price is asked the cost is unknown, and known where it is not."""
    _, members = made(cheap={"right": 0.7, "cost": 0.001}, dear={"right": 0.9, "cost": None})
    swept = sweep(members)
    assert np.isnan(swept.cost_usd[:-1]).all()
    assert swept.cost_usd[-1] == pytest.approx(0.001)


def test_too_many_settings_are_thinned(made):
    """Three stages stay below the most settings, the ends among them, and it is said."""
    _, members = made(200, **THREE)
    swept = sweep(members, most_points=100)
    assert swept.is_thinned
    assert len(swept) <= 100
    assert (swept.thresholds[0] == NEVER).all()
    assert not sweep(members).is_thinned

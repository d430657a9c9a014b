"""A router: its sweep against the live arm, what it finds when there is something, and what when there is not."""

import asyncio
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from harness.analysis.fusion import study
from harness.analysis.fusion.foresight import foreseen, learnt, rows
from harness.analysis.fusion.members import RoutingCost, folds
from harness.analysis.fusion.sweep import sweep, walk
from harness.arms.replay import ReplayArm
from harness.arms.router import RouterArm
from harness.ground.constraints import Constraints
from harness.types import Item, Outcome

TOLL = RoutingCost(0.0005, 0.002)
TWO = {
    "cheap": {"right": 0.7, "cost": 0.001, "failed": 0.05, "silent": 0.1},
    "dear": {"right": 0.9, "cost": 0.1, "failed": 0.03, "silent": 0.05},
}
PAIR = {"cheap": {"right": 0.7, "cost": 0.001}, "dear": {"right": 0.8, "cost": 0.1}}
THREE = {"rules": {"right": 0.8, "cost": 0.0001, "silent": 0.4, "scored": False}, **TWO}


def vectors_of(members, rng, *, tells):
    """Unit vectors of eight places; the first says how right the cheap arm is, if it `tells` anything."""
    drawn = rng.normal(size=(members.n, 8))
    drawn[:, 0] += tells * (2.0 * members.arms[0].credit - 1)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return dict(zip(members.rows["example_id"], drawn.astype(np.float32), strict=True))


def tried(made, *, tells, seed=1, n=400):
    _, dev = made(n, seed=seed, **PAIR)
    _, test = made(n, seed=seed + 1_000, **PAIR)
    # Both splits name their items alike, so the two parts of the mapping are told apart.
    test = replace(test, rows=test.rows.assign(example_id="t" + test.rows["example_id"]))
    rng = np.random.default_rng(seed)
    known = vectors_of(dev, rng, tells=tells) | vectors_of(test, rng, tells=tells)
    way = partial(foreseen, known, TOLL)
    return study.cascade("router:cheap>dear", dev, test, Constraints(margin=0.0), way)


@pytest.mark.parametrize("arms", [TWO, THREE], ids=["two", "three"])
def test_the_sweep_is_the_live_arm_at_every_threshold(made, arms):
    """Label, outcome, cost, latency and arm of every item, and each setting's sums, as the arm itself gives them."""
    said, plain = made(40 if len(arms) == 3 else 120, **arms)
    known = vectors_of(plain, np.random.default_rng(3), tells=0.5)
    members = foreseen(known, TOLL, plain, plain)
    sure = dict(
        zip(members.rows["example_id"], np.column_stack([arm.confidence for arm in members.arms[:-1]]), strict=True)
    )
    swept = sweep(members)
    assert len(swept) > 20
    items = [Item(item_id, "text") for item_id in sorted(said["dear"])]
    whole, names = set(swept.members.rows["example_id"]), list(arms)
    gold = dict(zip(members.rows["example_id"], members.rows["gold"], strict=True))
    for row in range(0, len(swept), 1 if len(arms) == 2 else 7):
        arm = RouterArm(
            [ReplayArm(name, predictions) for name, predictions in said.items()],
            swept.thresholds[row],
            lambda asked: np.stack([sure[item.id] for item in asked]),
            TOLL.cost_usd,
            TOLL.latency_s,
        )
        predictions = asyncio.run(arm.predict(items))
        walked = walk(members, swept.thresholds[row])
        assert list(walked.labels) == [p.label for p in predictions]
        assert list(walked.failed) == [p.outcome is Outcome.FAILED for p in predictions]
        assert [("router", names[place]) for place in walked.by] == [p.path for p in predictions]
        known_cost = [p.cost_usd for p in predictions if p.cost_usd is not None]
        assert walked.cost_usd[~walked.failed] == pytest.approx(known_cost)
        waits = [p.latency_s for p in predictions if p.latency_s is not None]
        assert walked.latency_s[~walked.failed] == pytest.approx(waits)
        scored = [p for p in predictions if p.item_id in whole]
        assert swept.credit[row] == sum(p.label == gold[p.item_id] for p in scored)
        assert swept.cost_usd[row] == pytest.approx(np.mean([p.cost_usd for p in scored]))
        assert swept.asked[row] == pytest.approx([np.mean([name in p.path for p in scored]) for name in names])


def test_an_item_is_foreseen_by_other_items(made):
    """Changing whether the cheap arm was right on one tenth of the items moves no score of that tenth."""
    _, before = made(200, cheap={"right": 0.6, "cost": 0.001}, dear={"right": 0.9, "cost": 0.1})
    known = vectors_of(before, np.random.default_rng(0), tells=1.0)
    mine = folds(before) == folds(before)[0]
    cheap = before.arms[0]
    after = replace(
        before, arms=(replace(cheap, credit=np.where(mine, 1 - cheap.credit, cheap.credit)), before.arms[1])
    )
    scores = [foreseen(known, TOLL, one, one).arms[0].confidence for one in (before, after)]
    assert scores[0][mine] == pytest.approx(scores[1][mine])
    assert scores[0][~mine] != pytest.approx(scores[1][~mine])


def test_what_is_reported_is_foreseen_by_the_choosing_split_alone(made):
    """The scores on test are those of a model of dev, whatever the arms did on test."""
    _, dev = made(150, seed=1, **TWO)
    _, test = made(150, seed=2, **TWO)
    known = vectors_of(dev, np.random.default_rng(0), tells=1.0)
    shown = foreseen(known, TOLL, dev, test)
    expected = learnt(dev, rows(known, dev)).scores(rows(known, test))[:, 0]
    assert shown.arms[0].confidence == pytest.approx(expected)
    assert shown.arms[1] is test.arms[1]


def test_a_feature_that_tells_is_found(made):
    """Where the embedding says whether the cheap arm is right, the router beats its members and chance."""
    found = tried(made, tells=2.0)
    assert found.random_line.is_beaten
    assert found.random_line.mean_recovered > 0.6
    best = max(one.accuracy.value for one in found.tested.members)
    assert found.tested.estimate.value > best + 0.05
    assert found.tested.estimate.value <= found.oracle.accuracy.value


def test_noise_is_not_taken_for_knowledge(made):
    """Where the embedding says nothing, chance is beaten as rarely as a one-sided 2.5% allows."""
    assert not tried(made, tells=0.0).random_line.is_beaten
    beaten = 0
    for seed in range(60):
        _, dev = made(100, seed=seed, **PAIR)
        _, test = made(100, seed=seed + 1_000, **PAIR)
        known = vectors_of(dev, np.random.default_rng(seed), tells=0.0)
        shown = foreseen(known, TOLL, dev, test)
        half = float(np.median(shown.arms[0].confidence))
        beaten += study._random_line(shown, walk(shown, [half])).is_beaten
    assert beaten <= 5


def test_nothing_to_tell_apart(made):
    """An arm that is always right, or items too few to learn from, give one score to all."""
    _, dev = made(60, cheap={"right": 1.0, "cost": 0.001}, dear={"right": 0.9, "cost": 0.1})
    known = vectors_of(dev, np.random.default_rng(0), tells=1.0)
    assert set(learnt(dev, rows(known, dev)).scores(rows(known, dev))[:, 0]) == {61 / 62}
    few = dev.take(np.arange(60) < 4)
    assert len(set(foreseen(known, TOLL, few, few).arms[0].confidence)) <= 4
    assert len(sweep(foreseen(known, TOLL, few, few))) >= 2

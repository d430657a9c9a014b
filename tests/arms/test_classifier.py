import asyncio

import numpy as np
import pytest

from harness.arms.classifier import TIMED_ITEMS, ClassifierArm
from harness.ground.clock import VirtualClock
from harness.types import Item, Outcome


class Classifier:
    """Scores by the item's id: even ids are sure of b, odd ones abstain; each call takes 10 ms."""

    def __init__(self, clock):
        self.clock = clock
        self.calls = []

    def fit(self, items, labels):
        self.classes_ = np.unique(labels)

    def predict_proba(self, items):
        self.clock.pause(0.01)
        self.calls.append(len(items))
        return np.array([[0.25, 0.75] if int(item.id) % 2 == 0 else [0.0, 0.0] for item in items])


def predicted(n, usd_per_hour=36.0):
    clock = VirtualClock()
    classifier = Classifier(clock)
    arm = ClassifierArm("arm", lambda: classifier, usd_per_hour, clock)
    arm.fit([Item("0", "x"), Item("1", "y")], ["a", "b"])
    return asyncio.run(arm.predict([Item(str(i), "x") for i in range(n)])), classifier


def test_scores_become_label_score_and_scores():
    """The best class is the label, its score the confidence; no score for abstaining."""
    (answered, abstained), _ = predicted(2)
    assert (answered.outcome, answered.label, answered.score) == (Outcome.ANSWERED, "b", 0.75)
    assert answered.scores == {"b": 0.75, "a": 0.25}
    assert (abstained.outcome, abstained.label, abstained.score, abstained.scores) == (
        Outcome.ABSTAINED,
        None,
        None,
        None,
    )
    assert answered.path == ("arm",)


def test_latency_is_that_of_one_item_alone():
    """The first 200 items are timed one by one; the rest is unknown, not guessed."""
    predictions, classifier = predicted(TIMED_ITEMS + 5)
    assert [p.latency_s for p in predictions[:TIMED_ITEMS]] == pytest.approx([0.01] * TIMED_ITEMS)
    assert {p.latency_s for p in predictions[TIMED_ITEMS:]} == {None}
    assert classifier.calls.count(1) == TIMED_ITEMS + 1


def test_the_time_in_a_batch_is_kept_too():
    """A batch of 4 that takes 10 ms takes 2.5 ms an item, at the machine's price: what the run's facts say."""
    clock = VirtualClock()
    arm = ClassifierArm("arm", lambda: Classifier(clock), 36.0, clock)
    arm.fit([Item("0", "x"), Item("1", "y")], ["a", "b"])
    assert arm.facts() == {}
    asyncio.run(arm.predict([Item(str(i), "x") for i in range(4)]))
    assert arm.facts() == pytest.approx(
        {"batch_latency_s": 0.0025, "batch_n": 4, "batch_cost_per_1000_usd": 1000 * 0.0025 * 0.01}
    )


def test_cost_is_computing_time_at_the_machines_price():
    """10 ms at $36 an hour is a hundredth of a cent."""
    predictions, _ = predicted(3)
    assert {round(p.cost_usd, 12) for p in predictions} == {0.0001}
    assert {round(p.billed_usd, 12) for p in predictions} == {0.0001}

"""Stopping a paid run as soon as the better arm is known, with the false-alarm rate kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.runs.early import EarlyStop, Reference, shuffled
from harness.types import Item, Outcome, Prediction

ORDER = [f"i{i}" for i in range(400)]
GOLD = dict.fromkeys(ORDER, "x")


def said(item_id, right, outcome=Outcome.ANSWERED):
    label = {Outcome.ANSWERED: "x" if right else "y"}.get(outcome)
    return Prediction(item_id, outcome, label)


def stop_at(theirs, chosen_from=1, alpha=0.05):
    return EarlyStop(ORDER, Reference("ref", dict(zip(ORDER, theirs, strict=False)), GOLD, chosen_from), alpha)


def test_a_clear_winner_ends_it():
    """Eight items on which only the run is right: 28 to 1 for it, and from 20 to 1 on it is decided."""
    watch = stop_at([False] * 400)
    for item_id in ORDER[:7]:
        watch.notice(said(item_id, right=True))
        assert not watch.is_over
    watch.notice(said(ORDER[7], right=True))
    assert watch.is_over
    assert watch.race.leader(0.05) == "a"
    assert watch.race.p_value == pytest.approx(1 / 28.4444, abs=1e-5)


def test_nothing_changes_after_the_end():
    """Replies that were in flight do not turn a decision over."""
    watch = stop_at([False] * 400)
    for item_id in ORDER[:8]:
        watch.notice(said(item_id, right=True))
    decided = watch.race
    for item_id in ORDER[8:200]:
        watch.notice(said(item_id, right=False))
    assert watch.race == decided


@given(st.permutations(range(40)))
def test_replies_that_overtake_each_other_change_nothing(arrival):
    """Items are looked at in their order, whichever reply comes first."""
    rng = np.random.default_rng(0)
    mine, theirs = rng.random(40) < 0.6, rng.random(40) < 0.5
    one, other = stop_at(theirs.tolist()), stop_at(theirs.tolist())
    for i in range(40):
        one.notice(said(ORDER[i], mine[i]))
    for i in arrival:
        other.notice(said(ORDER[i], mine[i]))
    assert one.race == other.race


def test_outages_of_either_say_nothing():
    """A failed call and an item that the reference failed on are passed over; no answer is a wrong one."""
    watch = stop_at([None, True, False])
    watch.notice(said("i0", right=True))
    watch.notice(said("i1", right=False, outcome=Outcome.FAILED))
    watch.notice(said("i2", right=False, outcome=Outcome.UNPARSED))
    assert (watch.race.n, watch.race.only_a, watch.race.only_b) == (1, 0, 0)


def test_a_reference_picked_for_being_the_best_has_a_part_of_alpha():
    """Of five baselines: decided at 100 to 1 instead of 20 to 1."""
    watch = stop_at([False] * 400, chosen_from=5)
    for item_id in ORDER[:9]:
        watch.notice(said(item_id, right=True))
    assert not watch.is_over  # 51.2 to 1
    watch.notice(said(ORDER[9], right=True))
    watch.notice(said(ORDER[10], right=True))
    assert watch.is_over


def test_the_false_alarm_rate_is_kept():
    """Equal arms, looked at after every one of 400 items: at most 5% of 1,000 runs end, and some do."""
    rng, alarms, runs = np.random.default_rng(11), 0, 1000
    for _ in range(runs):
        watch = stop_at((rng.random(400) < 0.7).tolist())
        for item_id, right in zip(ORDER, rng.random(400) < 0.7, strict=True):
            watch.notice(said(item_id, right))
        alarms += watch.is_over
    assert 0 < alarms / runs <= 0.05


def test_the_best_of_several_equal_baselines_is_no_false_alarm():
    """Four equal baselines, the luckiest taken as the reference: still at most 5% of 300 runs end wrongly."""
    rng, alarms, runs = np.random.default_rng(12), 0, 300
    for _ in range(runs):
        baselines = rng.random((4, 400)) < 0.7
        best = baselines[baselines.sum(axis=1).argmax()]
        watch = stop_at(best.tolist(), chosen_from=4)
        for item_id, right in zip(ORDER, rng.random(400) < 0.7, strict=True):
            watch.notice(said(item_id, right))
        alarms += watch.is_over
    assert alarms / runs <= 0.05


def test_the_order_is_the_same_every_time_and_not_the_files():
    """By the hash of the id."""
    items = [Item(f"i{i}", "t") for i in range(50)]
    assert shuffled(items) == shuffled(items[::-1])
    assert [item.id for item in shuffled(items)] != [item.id for item in items]

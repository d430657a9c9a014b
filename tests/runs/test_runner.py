import asyncio

import pytest

from harness.errors import AuthError, Interrupted, TransientError
from harness.ground.clock import VirtualClock
from harness.runs.job import Job
from harness.runs.runner import FAILURES_IN_A_ROW, FLUSH_ROWS, Runner
from harness.types import Item, Outcome, Prediction, Run

RUN = Run("s1:run", "s1:data", "test", "arm", "s1:arm")
ITEMS = [Item(str(i), f"text {i}") for i in range(100)]


class Memory:
    """A sink in memory, with the contract of the store."""

    def __init__(self):
        self.rows = {}

    def done(self, run_id):
        return {i for i, p in self.rows.items() if p.outcome is not Outcome.FAILED}

    def append(self, run_id, predictions):
        self.rows |= {p.item_id: p for p in predictions}


class Scripted:
    """An arm that answers, fails or raises as the script says for an item."""

    def __init__(self, script=None, batch_size=1):
        self.batch_size = batch_size
        self.script = script or {}
        self.asked = []
        self.prepared = []

    def fit(self, items, labels):
        raise AssertionError("the runner does not fit")

    async def prepare(self, items):
        self.prepared += [item.id for item in items]

    async def predict(self, items):
        await asyncio.sleep(0)
        self.asked += [item.id for item in items]
        found = [self.script.get(item.id, Outcome.ANSWERED) for item in items]
        for outcome in found:
            if isinstance(outcome, Exception):
                raise outcome
        label = {Outcome.ANSWERED: "a"}
        return [
            Prediction(i.id, o, label=label.get(o), billed_usd=0.5, attempts=2)
            for i, o in zip(items, found, strict=True)
        ]


def carry_out(arm, sink, workers=4, stop=None, watch=lambda progress: None):
    async def go():
        event = asyncio.Event()
        if stop:
            event.set()
        return await Runner(sink, VirtualClock(), event, watch).run(Job(RUN, arm, (), tuple(ITEMS), workers))

    return asyncio.run(go())


@pytest.mark.parametrize(("workers", "batch_size"), [(1, 1), (16, 1), (3, 7), (1000, 64)])
def test_every_item_is_asked_once(workers, batch_size):
    """Whatever the batches and workers, each item is asked exactly once and stored."""
    arm, sink = Scripted(batch_size=batch_size), Memory()
    progress = carry_out(arm, sink, workers)
    assert sorted(arm.asked, key=int) == [item.id for item in ITEMS]
    assert set(sink.rows) == set(arm.asked) == set(arm.prepared)
    assert (progress.done, progress.sent, progress.retried, progress.billed_usd) == (100, 200, 100, 50.0)


def test_stored_items_are_not_asked_again():
    """A run that is resumed asks the difference; failed items are part of it."""
    sink = Memory()
    sink.append(RUN.id, [Prediction("3", Outcome.ANSWERED, "a"), Prediction("4", Outcome.FAILED)])
    arm = Scripted()
    progress = carry_out(arm, sink)
    assert "3" not in arm.asked
    assert "4" in arm.asked
    assert (progress.already, progress.done) == (1, 100)


@pytest.mark.parametrize("error", [AuthError("no key"), ValueError("a bug")], ids=["auth", "bug"])
def test_an_error_ends_the_run_and_loses_nothing(error):
    """What other workers were being answered is stored before the error is told."""
    arm, sink = Scripted({"10": error}), Memory()
    with pytest.raises(type(error)):
        carry_out(arm, sink, workers=8)
    assert set(sink.rows) == set(arm.asked) - {"10"}
    assert len(arm.asked) < 40


def test_a_failed_item_does_not_end_the_run():
    """An outage of one item is stored as failed, and the run goes on."""
    arm, sink = Scripted({"10": Outcome.FAILED}), Memory()
    progress = carry_out(arm, sink)
    assert progress.failed == 1
    assert sink.rows["10"].outcome is Outcome.FAILED
    assert len(sink.rows) == 100


def test_a_dead_provider_ends_the_run():
    """After 25 outages in a row nobody pays for the other thousand."""
    arm, sink = Scripted({item.id: Outcome.FAILED for item in ITEMS}), Memory()
    with pytest.raises(TransientError, match="25 requests in a row failed"):
        carry_out(arm, sink, workers=1)
    assert len(arm.asked) == FAILURES_IN_A_ROW == len(sink.rows)


def test_stopping_keeps_what_is_in_flight():
    """A stop lets the requests under way finish, stores them, and says how far the run came."""
    arm, sink = Scripted(), Memory()
    with pytest.raises(Interrupted, match="4 of 100 items"):
        carry_out(arm, sink, workers=4, stop=True)
    assert len(sink.rows) == 4


def test_predictions_are_stored_while_the_run_goes_on():
    """A long run does not keep everything in memory until its end."""
    sink = Memory()
    seen = []
    many = [Item(str(i), "x") for i in range(FLUSH_ROWS + 500)]

    async def go():
        runner = Runner(sink, VirtualClock(), asyncio.Event(), lambda progress: seen.append(len(sink.rows)))
        await runner.run(Job(RUN, Scripted(batch_size=10), (), tuple(many)))

    asyncio.run(go())
    assert len(sink.rows) == len(many)
    assert any(0 < stored < len(many) for stored in seen)


def test_unknown_cost_stays_unknown():
    """One prediction without a price makes the bill unknown, not smaller."""

    class Unpriced(Scripted):
        async def predict(self, items):
            return [Prediction(item.id, Outcome.ANSWERED, "a", billed_usd=None) for item in items]

    assert carry_out(Unpriced(), Memory()).billed_usd is None

import asyncio
import sqlite3
from contextlib import closing

import pytest

from harness.errors import TransientError
from harness.ground.clock import VirtualClock
from harness.ground.ids import request_id, request_text
from harness.models.ledger import Asked, Ledger
from harness.models.middleware.cached import Books, Cached
from harness.models.middleware.held import Held
from harness.types import Message, Model, Request, Response

REQUEST = Request(Model("openai", "m"), (Message("user", "hi"),))


class Counting:
    """A provider that takes a second, and follows a list of replies and errors."""

    def __init__(self, clock, *steps):
        self.clock, self.steps, self.calls = clock, list(steps), 0

    async def send(self, request):
        self.calls += 1
        await self.clock.sleep(1)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return Response(step, "stop", None, None, 1.0, "m")


def carry_out(tmp_path, provider_steps, *rounds, fresh=False):
    """Each round sends its requests together; the replies of all rounds, and the provider."""
    clock = VirtualClock()
    provider = Counting(clock, *provider_steps)

    async def go():
        with Ledger(tmp_path / "l.sqlite") as ledger:
            cached = Cached(provider, ledger, clock, fresh=fresh)
            return [
                await asyncio.gather(*(cached.send(request) for request in requests), return_exceptions=True)
                for requests in rounds
            ]

    return asyncio.run(go()), provider


def test_what_was_answered_is_not_asked_again(tmp_path):
    """The second time the answer is the first one, marked as cached, with its first latency."""
    (first, second), provider = carry_out(tmp_path, ["yes"], [REQUEST], [REQUEST])
    assert (first[0].cached, second[0].cached, second[0].text, second[0].latency_s) == (False, True, "yes", 1.0)
    assert provider.calls == 1


def test_identical_requests_in_flight_share_one_call(tmp_path):
    """One pays, the others are told the same and are billed nothing."""
    (replies,), provider = carry_out(tmp_path, ["yes"], [REQUEST] * 5)
    assert provider.calls == 1
    assert sorted(reply.cached for reply in replies) == [False, True, True, True, True]


@pytest.mark.parametrize("bad", [TransientError("down", status=500), ""], ids=["outage", "empty"])
def test_a_failure_is_told_once_and_asked_again(tmp_path, bad):
    """Neither an outage nor an empty reply is ever served from the ledger."""
    (first, second), provider = carry_out(tmp_path, [bad, "yes"], [REQUEST], [REQUEST])
    assert isinstance(first[0], TransientError) or first[0].text == ""
    assert (second[0].text, second[0].cached) == ("yes", False)
    assert provider.calls == 2


def test_fresh_asks_each_request_once_more(tmp_path):
    """Although the ledger has an answer; within the run, the fresh one is served."""
    carry_out(tmp_path, ["old"], [REQUEST])
    (first, second), provider = carry_out(tmp_path, ["new"], [REQUEST], [REQUEST], fresh=True)
    assert (first[0].text, first[0].cached, second[0].text, second[0].cached) == ("new", False, "new", True)
    assert provider.calls == 1


def test_a_caller_that_gives_up_does_not_lose_the_answer(tmp_path):
    """The call may be paid for already: it is finished and recorded."""
    clock = VirtualClock()
    provider = Counting(clock, "yes")

    async def go():
        with Ledger(tmp_path / "l.sqlite") as ledger:
            cached = Cached(provider, ledger, clock)
            impatient = asyncio.create_task(cached.send(REQUEST))
            await asyncio.sleep(0)
            impatient.cancel()
            with pytest.raises(asyncio.CancelledError):
                await impatient
            return await cached.send(REQUEST)

    assert asyncio.run(go()).text == "yes"
    assert provider.calls == 1


class Turn:
    """A provider before which one waits for one's turn."""

    def __init__(self, provider):
        self.provider, self.is_waiting, self.has_come = provider, asyncio.Event(), asyncio.Event()

    async def send(self, request):
        self.is_waiting.set()
        await self.has_come.wait()
        return await self.provider.send(request)


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "under way"])
def test_what_another_process_took_over_is_not_sent_any_more(tmp_path, is_answered):
    """A process that was stopped for longer than its lease goes on: what still waited for its turn is the other's."""
    clock, key = VirtualClock(), request_id(REQUEST)
    provider = Counting(clock, "mine")
    theirs = Asked(key, request_text(REQUEST), clock.now()), Response("theirs", "stop", None, None, 1.0, "m")

    async def take_over(other, turn):
        await turn.is_waiting.wait()
        await other.claim("another", clock.now())
        with closing(sqlite3.connect(tmp_path / "l.sqlite")) as connection, connection:
            connection.execute("update claims set owner = ? where key = ?", [other._owner, key])
        if is_answered:
            await other.put(*theirs)
        clock.pause(60)
        turn.has_come.set()
        if not is_answered:
            await asyncio.sleep(0.1)
            await other.put(*theirs)

    async def go():
        with Ledger(tmp_path / "l.sqlite") as ours, Ledger(tmp_path / "l.sqlite") as other:
            turn = Turn(Held(provider, ours, clock))
            cached = Cached(turn, ours, clock, Books(longest_wait_s=1e9))
            return (await asyncio.gather(cached.send(REQUEST), take_over(other, turn)))[0]

    reply = asyncio.run(go())
    assert (reply.text, reply.cached, provider.calls) == ("theirs", True, 0)

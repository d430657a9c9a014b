"""Whoever waits before a call gives up when its time is over, and at once when the run is to end."""

import asyncio
from random import Random

import pytest

from harness.errors import BudgetExceeded, Interrupted, TransientError
from harness.ground.clock import SystemClock, VirtualClock
from harness.ground.ids import request_id
from harness.ground.waiting import stopping
from harness.models.ledger import Ledger
from harness.models.middleware.budgeted import Budget, Budgeted
from harness.models.middleware.cached import Books, Cached
from harness.models.middleware.limited import Limited
from harness.models.middleware.paced import Paced
from harness.models.middleware.retrying import Retrying
from harness.types import Message, Model, Request, Response

NEVER_S = 1e9


def request(i=0):
    return Request(Model("openai", "m"), (Message("user", f"item {i}"),))


class Held:
    """A provider that answers when it is let; it counts what it is asked."""

    def __init__(self, error=None):
        self.asked, self.error, self.let, self.begun = 0, error, asyncio.Event(), asyncio.Event()

    async def send(self, request):
        self.asked += 1
        self.begun.set()
        await self.let.wait()
        if self.error is not None:
            raise self.error
        return Response("yes", "stop", None, None, 0.1, "m")


async def waits(provider, held, stop, n):
    """The results of `n` requests of which one is under way when the run is stopped."""
    stopping.set(stop)
    tasks = [asyncio.create_task(provider.send(request(i))) for i in range(n)]
    await held.begun.wait()
    stop.set()
    held.let.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("place", ["limited", "paced", "budgeted"])
def test_a_stop_ends_what_was_not_asked_yet(tmp_path, place):
    """What is under way is awaited; whoever stands in line behind it, for whatever reason, is never sent."""

    async def go():
        clock, held, stop = SystemClock(), Held(), asyncio.Event()
        with Ledger(tmp_path / "l.sqlite") as ledger:
            stacks = {
                "limited": lambda: Limited(held, clock, most=1),
                "paced": lambda: Paced(held, clock, requests_per_minute=1),
                "budgeted": lambda: Budgeted(held, ledger, clock, Budget("a", 150, NEVER_S), lambda _: 100),
            }
            provider = Cached(stacks[place](), ledger, clock, Books("a", "", lambda _: 100))
            return await waits(provider, held, stop, 5), held.asked, ledger.spent("a")

    results, asked, spent = asyncio.run(go())
    assert asked == 1
    assert [type(result) for result in results].count(Interrupted) == 4
    assert (spent.billed, spent.in_flight, spent.unknown) == (100, 0, 0)


def test_a_stop_while_a_turn_is_awaited_gives_the_reservation_back(tmp_path):
    """Nothing was sent, so nothing stays reserved; the request is nobody's."""

    async def go():
        clock, held, stop = SystemClock(), Held(), asyncio.Event()
        with Ledger(tmp_path / "l.sqlite") as ledger, Ledger(tmp_path / "l.sqlite") as neighbour:
            inner = Budgeted(Limited(held, clock, most=1), ledger, clock, Budget("a", 1000), lambda _: 100)
            await waits(Cached(inner, ledger, clock, Books("a", "", lambda _: 30)), held, stop, 5)
            free = [await neighbour.claim(request_id(request(i)), clock.now()) for i in range(1, 5)]
            return ledger.spent("a"), free

    spent, free = asyncio.run(go())
    assert (spent.total, free) == (30, [True] * 4)


def test_an_outage_is_what_is_told_although_somebody_stopped():
    """The item failed for the reason that the server gave."""

    async def go():
        held, stop = Held(TransientError("down", status=503)), asyncio.Event()
        return await waits(Retrying(held, SystemClock(), Random(0)), held, stop, 1)

    assert [str(result) for result in asyncio.run(go())] == ["down"]


def test_a_neighbour_is_waited_for_no_longer_than_an_item_may_take(tmp_path):
    """One that lives and does not answer fails the item, which may be asked again; a stop ends the wait at once."""

    async def go():
        clock, held = VirtualClock(), Held()
        with Ledger(tmp_path / "l.sqlite") as ledger, Ledger(tmp_path / "l.sqlite") as neighbour:
            assert await neighbour.claim(request_id(request()), clock.now())
            with pytest.raises(TransientError, match="another process has been asking the same for 5 s"):
                await Cached(held, ledger, clock, Books(longest_wait_s=5.0)).send(request())
            at_s = clock.monotonic()
            stop = asyncio.Event()
            stopping.set(stop)
            stop.set()
            with pytest.raises(Interrupted):
                await Cached(held, ledger, clock, Books(longest_wait_s=5.0)).send(request())
            return at_s, held.asked

    at_s, asked = asyncio.run(go())
    assert 5.0 < at_s < 6.0
    assert asked == 0


def test_the_budget_is_waited_for_no_longer_than_an_item_may_take(tmp_path):
    """A reservation that does not end, of a neighbour that lives, refuses the call once its time is over."""

    async def go():
        clock, held = VirtualClock(), Held()
        with Ledger(tmp_path / "l.sqlite") as ledger, Ledger(tmp_path / "l.sqlite") as neighbour:
            await neighbour.reserve("a", "k", 100, 150)
            with pytest.raises(BudgetExceeded):
                await Budgeted(held, ledger, clock, Budget("a", 150, 5.0), lambda _: 100).send(request())
            return clock.monotonic()

    assert 5.0 < asyncio.run(go()) < 6.0


@pytest.mark.parametrize("is_known", [True, False], ids=["an error of ours", "a mistake of ours"])
def test_whatever_ends_a_call_ends_its_claim(tmp_path, is_known):
    """Also what nobody thought of; what it may have cost stays reserved."""
    error = TransientError("x", may_be_billed=True) if is_known else KeyError("x")

    async def go():
        clock, held = SystemClock(), Held(error)
        held.let.set()
        with Ledger(tmp_path / "l.sqlite") as ledger, Ledger(tmp_path / "l.sqlite") as neighbour:
            inner = Budgeted(held, ledger, clock, Budget("a", 150), lambda _: 100)
            with pytest.raises(type(error)):
                await Cached(inner, ledger, clock, Books("a")).send(request())
            return await neighbour.claim(request_id(request()), clock.now()), ledger.spent("a")

    is_free, spent = asyncio.run(go())
    assert is_free
    assert (spent.in_flight, spent.unknown) == (0, 100)

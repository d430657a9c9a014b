import asyncio
from random import Random

from harness.errors import RateLimited, TransientError
from harness.ground.clock import VirtualClock
from harness.models.middleware.limited import COOLDOWN_S, Limited
from harness.models.middleware.retrying import Patience, Retrying
from harness.types import Message, Model, Request, Response

REQUEST = Request(Model("openai", "m"), (Message("user", "hi"),))
REPLY = Response("yes", "stop", None, None, 0.1, "m")


class Server:
    """Takes `rate` requests a second and answers after `latency_s`; beyond that, 429."""

    def __init__(self, clock, rate=None, latency_s=0.8):
        self.clock, self.rate, self.latency_s = clock, rate, latency_s
        self.under_way = self.most_under_way = self.refused = self.answered = 0
        self.recent = []

    async def send(self, request):
        now = self.clock.monotonic()
        self.recent = [at for at in self.recent if at > now - 1]
        if self.rate is not None and len(self.recent) >= self.rate:
            self.refused += 1
            raise RateLimited("slow down")
        self.recent.append(now)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.clock.sleep(self.latency_s)
        self.under_way -= 1
        self.answered += 1
        return REPLY


async def ask(limited, n):
    return await asyncio.gather(*(limited.send(REQUEST) for _ in range(n)), return_exceptions=True)


def test_never_more_under_way_than_the_limit():
    """However many callers there are, the provider sees at most the limit."""
    clock = VirtualClock()
    server = Server(clock)
    limited = Limited(server, clock, most=7)
    asyncio.run(ask(limited, 100))
    assert (server.answered, server.most_under_way) == (100, 7)


def test_slow_start_doubles_up_to_the_most():
    """From 20 to 160 in three clean rounds, and no further than allowed."""
    clock = VirtualClock()
    limited = Limited(Server(clock), clock, most=100)
    asyncio.run(ask(limited, 500))
    assert [change.limit for change in limited.history] == [20, 40, 80, 100]


def test_a_storm_of_429_shrinks_once():
    """Forty refusals of one moment are one episode: one step down, and a shared pause."""
    clock = VirtualClock()

    class Refusing(Server):
        async def send(self, request):
            await self.clock.sleep(0.1)
            raise RateLimited("slow down", retry_after_s=3.0)

    limited = Limited(Refusing(clock), clock, most=40, start=40)
    asyncio.run(ask(limited, 40))
    assert [change.limit for change in limited.history] == [40, 36]
    began = clock.monotonic()
    asyncio.run(ask(limited, 1))
    assert clock.monotonic() - began >= 3.0


def test_an_outage_stops_growth_and_shrinks_nothing():
    """A 500 says nothing about our pace."""
    clock = VirtualClock()

    class Down(Server):
        async def send(self, request):
            await self.clock.sleep(0.1)
            raise TransientError("down", status=500)

    limited = Limited(Down(clock), clock, most=100, start=10)
    asyncio.run(ask(limited, 30))
    limited._provider = Server(clock, latency_s=0.01)
    asyncio.run(ask(limited, 50))
    assert [change.limit for change in limited.history] == [10]
    clock.pause(COOLDOWN_S + 1)
    asyncio.run(ask(limited, 50))
    assert limited.history[-1].limit > 10


def test_a_rate_limit_is_used_without_a_storm():
    """5,000 calls against 50 a second: nothing fails, few are refused, little time is lost (ideal 100 s)."""
    clock = VirtualClock()
    server = Server(clock, rate=50)
    limited = Limited(server, clock, most=256)
    retrying = Retrying(limited, clock, Random(3), Patience(attempts=50, deadline_s=600))
    workers = 256

    async def work(items):
        for _ in items:
            await retrying.send(REQUEST)

    async def go():
        items = iter(range(5000))
        await asyncio.gather(*(work(items) for _ in range(workers)))

    asyncio.run(go())
    assert server.answered == 5000
    assert server.refused < 100
    assert clock.elapsed_s < 150

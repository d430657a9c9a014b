import asyncio

import pytest

from harness.ground.clock import VirtualClock
from harness.models.middleware.paced import Paced
from harness.types import Message, Model, Request, Response, Settings, Usage

REQUEST = Request(Model("openai", "m"), (Message("user", "x" * 360),), Settings(max_tokens=10))  # 100 tokens


class Logging:
    def __init__(self, clock, usage):
        self.clock, self.usage, self.at_s = clock, usage, []

    async def send(self, request):
        self.at_s.append(self.clock.monotonic())
        return Response("x", "stop", self.usage, None, 0.0, "m")


def ask(n, usage=None, **limits):
    """The moments at which n requests that come together reach the provider."""
    clock = VirtualClock()
    provider = Logging(clock, usage)

    async def go():
        paced = Paced(provider, clock, **limits)
        await asyncio.gather(*(paced.send(REQUEST) for _ in range(n)))

    asyncio.run(go())
    return provider.at_s


def busiest_minute(at_s):
    return max(sum(start <= at < start + 59.999 for at in at_s) for start in at_s)


@pytest.mark.parametrize("limit", [1, 7, 60, 600])
def test_no_minute_sees_more_requests_than_allowed(limit):
    """Whichever minute is looked at; and the limit is used to the full."""
    at_s = ask(3 * limit, requests_per_minute=limit)
    assert busiest_minute(at_s) == limit
    assert at_s[-1] == pytest.approx((3 * limit - 1) * 60 / limit)


def test_tokens_are_counted_before_the_call_and_put_right_after_it():
    """Estimated at 100 each, 1,000 a minute let ten through; when each turns out to be 50, twenty follow sooner."""
    assert busiest_minute(ask(30, tokens_per_minute=1000)) == 10
    lean = ask(30, usage=Usage(input_fresh=45, output_visible=5), tokens_per_minute=1000)
    assert 18 <= busiest_minute(lean) <= 20


def test_without_limits_nobody_waits():
    """All at once."""
    assert ask(50) == [0.0] * 50

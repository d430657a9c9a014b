import asyncio
from random import Random

import pytest

from harness.errors import AuthError, RateLimited, RequestRejected, TransientError
from harness.ground.clock import VirtualClock
from harness.models.middleware.retrying import Patience, Retrying
from harness.types import Message, Model, Request, Response

REQUEST = Request(Model("openai", "m"), (Message("user", "hi"),))
REPLY = Response("yes", "stop", None, None, 0.25, "m")


class Plan:
    """A provider that follows a list of errors and replies; every call takes a tenth of a second."""

    def __init__(self, clock, *steps):
        self.clock = clock
        self.steps = list(steps)
        self.called_at = []

    async def send(self, request):
        self.called_at.append(self.clock.monotonic())
        await self.clock.sleep(0.1)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step


def carry_out(*steps, **patience):
    clock = VirtualClock()
    provider = Plan(clock, *steps)
    retrying = Retrying(provider, clock, Random(1), Patience(**patience))

    async def go():
        try:
            return await retrying.send(REQUEST)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            return error

    return asyncio.run(go()), provider, clock


def test_an_outage_that_passes_is_survived_and_every_attempt_kept():
    """Status, own duration and error of each try; the reply's latency is the last call's alone."""
    reply, provider, _ = carry_out(TransientError("down", status=503), RateLimited("slow"), REPLY)
    assert reply.text == "yes"
    assert reply.latency_s == 0.25
    assert [(a.status, a.error) for a in reply.attempts] == [(503, "down"), (429, "slow"), (200, None)]
    assert [round(a.latency_s, 6) for a in reply.attempts] == [0.1, 0.1, 0.25]
    assert len(provider.called_at) == 3


@pytest.mark.parametrize("error", [AuthError("key"), RequestRejected("no"), ValueError("bug")])
def test_what_will_not_pass_is_not_tried_again(error):
    """A refused key, a rejected request and our own mistakes are told at once."""
    told, provider, clock = carry_out(error)
    assert told is error
    assert len(provider.called_at) == 1
    assert clock.elapsed_s == pytest.approx(0.1)


def test_attempts_are_counted_once():
    """Six tries, then the last error with all of them."""
    told, provider, _ = carry_out(TransientError("down", status=500))
    assert isinstance(told, TransientError)
    assert len(told.attempts) == len(provider.called_at) == 6


def test_the_pause_a_server_names_is_obeyed():
    """Retry-After is the least wait."""
    _, provider, _ = carry_out(RateLimited("slow", retry_after_s=7.0), REPLY)
    assert provider.called_at[1] - provider.called_at[0] >= 7.1


@pytest.mark.parametrize("retry_after_s", [0.0, None])
def test_a_pause_of_nothing_is_still_a_pause(retry_after_s):
    """Retry-After 0 does not make a storm: waits double, with jitter."""
    _, provider, _ = carry_out(RateLimited("slow", retry_after_s=retry_after_s))
    waits = [b - a - 0.1 for a, b in zip(provider.called_at, provider.called_at[1:], strict=False)]
    assert len(waits) > 6
    for wait, usual in zip(waits, (0.5, 1, 2, 4, 8, 16, 20, 20, 20), strict=False):
        assert 0.74 * usual <= wait <= 1.26 * usual


@pytest.mark.parametrize("retry_after_s", [121.0, 86_400.0])
def test_a_pause_beyond_the_deadline_is_not_waited_for(retry_after_s):
    """The item fails at once with the server's own words, instead of sleeping for a day."""
    told, provider, clock = carry_out(RateLimited("come back tomorrow", retry_after_s=retry_after_s))
    assert isinstance(told, RateLimited)
    assert len(provider.called_at) == 1
    assert clock.elapsed_s < 1


def test_the_deadline_holds():
    """However many attempts are allowed, no item is tried for longer than its deadline."""
    _, provider, clock = carry_out(TransientError("down"), attempts=1000, deadline_s=60.0)
    assert clock.elapsed_s <= 60.2
    assert len(provider.called_at) > 5

"""How many requests are under way at once: as many as the provider takes, and no more.

Slow start doubles the limit with every round of successes until the first 429; then it shrinks
by a tenth once per episode and grows by a twentieth per clean round. All workers share the pause
that a 429 asks for. An outage (5xx, a time-out) says nothing about our pace: it only stops growth
for a while. The shape is that of Inspect's adaptive connections; the numbers are ours (see
docs/decisions.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import RateLimited, TransientError
from harness.ground.waiting import go_on, pause

if TYPE_CHECKING:
    from harness.ground.clock import Clock
    from harness.types import Provider, Request, Response

SHRINK, GROW = 0.9, 1.05
COOLDOWN_S = 3.0
SHARED_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the limit: seconds since the start, the new limit, and why."""

    at_s: float
    limit: int
    why: str


class Limited:
    """A provider that is asked by at most `limit` callers at once; the limit adapts up to `most`."""

    def __init__(self, provider: Provider, clock: Clock, most: int, start: int = 20, least: int = 2) -> None:
        self._provider = provider
        self._clock = clock
        self._most, self._least = most, min(least, most)
        self._limit = float(min(start, most))
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._successes = 0
        self._is_slow_start = True
        self._paused_until_s = self._episode_until_s = self._no_growth_until_s = 0.0
        self._start_s = clock.monotonic()
        self.history: list[Change] = [Change(0.0, int(self._limit), "start")]

    async def send(self, request: Request) -> Response:
        """The provider's reply, once there is room to ask."""
        await self._enter()
        try:
            while (pause_s := self._paused_until_s - self._clock.monotonic()) > 0:
                await pause(self._clock, pause_s)
            go_on()
            response = await self._provider.send(request)
        except RateLimited as error:
            self._shrink(error.retry_after_s or 0.0)
            raise
        except TransientError:
            self._no_growth_until_s = max(self._no_growth_until_s, self._clock.monotonic() + COOLDOWN_S)
            raise
        finally:
            self._under_way -= 1
            self._wake()
        self._grow()
        return response

    async def _enter(self) -> None:
        if self._under_way < int(self._limit) and not self._waiting:
            self._under_way += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _wake(self) -> None:
        while self._waiting and self._under_way < int(self._limit):
            turn = self._waiting.popleft()
            if not turn.done():  # its caller may have given up
                self._under_way += 1
                turn.set_result(None)

    def _shrink(self, retry_after_s: float) -> None:
        now_s = self._clock.monotonic()
        # A pause of a day would only hang everybody; past this, items fail one by one and say why.
        pause_s = min(max(retry_after_s, SHARED_PAUSE_S), LONGEST_PAUSE_S)
        self._paused_until_s = max(self._paused_until_s, now_s + pause_s)
        if now_s < self._episode_until_s:
            return  # requests that were under way when the episode began
        self._is_slow_start = False
        self._episode_until_s = now_s + pause_s + COOLDOWN_S
        self._no_growth_until_s = max(self._no_growth_until_s, self._episode_until_s)
        self._set(max(self._limit * SHRINK, self._least), "429")

    def _grow(self) -> None:
        self._successes += 1
        if self._successes < int(self._limit):
            return
        self._successes = 0
        if self._clock.monotonic() >= self._no_growth_until_s and self._limit < self._most:
            faster = self._limit * (2.0 if self._is_slow_start else GROW)
            self._set(min(max(faster, self._limit + 1), self._most), "clean round")
            self._wake()

    def _set(self, limit: float, why: str) -> None:
        if int(limit) != int(self._limit):
            self.history.append(Change(self._clock.monotonic() - self._start_s, int(limit), why))
        self._limit = limit
        self._successes = 0

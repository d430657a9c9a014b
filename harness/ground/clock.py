"""Time, passed in: the only module that reads a clock or sleeps."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Protocol


class Clock(Protocol):
    """What the rest of the package knows of time."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...

    def now(self) -> datetime:
        """The date and time, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait, letting other tasks run."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.perf_counter()

    def now(self) -> datetime:
        """The date and time, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait, letting other tasks run."""
        await asyncio.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Wait, blocking this thread: for a held file lock, outside any event loop."""
        time.sleep(seconds)


class VirtualClock:
    """A clock that moves only when everybody sleeps: for tests and simulations.

    Sleepers wake in the order of their times. Between two of them the event loop gets `SETTLE`
    rounds, in which whoever was woken runs on until it sleeps again.
    """

    SETTLE = 30

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self.elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._is_ticking = False

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self.elapsed_s

    def now(self) -> datetime:
        """The start plus the seconds slept."""
        return self._start + timedelta(seconds=self.elapsed_s)

    async def sleep(self, seconds: float) -> None:
        """Wait until all who wake earlier have run."""
        loop = asyncio.get_running_loop()
        woken = loop.create_future()
        heappush(self._sleepers, (self.elapsed_s + max(seconds, 0.0), next(self._order), woken))
        if not self._is_ticking:
            self._is_ticking = True
            loop.call_soon(self._tick, loop, self.SETTLE)
        await woken

    def pause(self, seconds: float) -> None:
        """Move the clock on."""
        self.elapsed_s += max(seconds, 0.0)

    def _tick(self, loop: asyncio.AbstractEventLoop, rounds_left: int) -> None:
        if rounds_left:
            loop.call_soon(self._tick, loop, rounds_left - 1)
            return
        at_s, _, woken = heappop(self._sleepers)
        self.elapsed_s = max(self.elapsed_s, at_s)
        if not woken.done():
            woken.set_result(None)
        self._is_ticking = bool(self._sleepers)
        if self._is_ticking:
            loop.call_soon(self._tick, loop, self.SETTLE)

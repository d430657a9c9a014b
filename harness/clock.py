"""Time, passed in: the only module that reads a clock or sleeps."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
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
    """A clock that moves only when somebody sleeps: for tests and simulations."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self.elapsed_s = 0.0

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self.elapsed_s

    def now(self) -> datetime:
        """The start plus the seconds slept."""
        return self._start + timedelta(seconds=self.elapsed_s)

    async def sleep(self, seconds: float) -> None:
        """Move the clock on and let other tasks run."""
        self.elapsed_s += max(seconds, 0.0)
        await asyncio.sleep(0)

    def pause(self, seconds: float) -> None:
        """Move the clock on."""
        self.elapsed_s += max(seconds, 0.0)

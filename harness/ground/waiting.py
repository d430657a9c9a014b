"""Waiting before a call: for a pause, a turn, a neighbour or the budget. It ends at once when the run is to end.

Nothing was sent for whoever waits, so whoever waits has nothing to lose: `Interrupted` takes it out of the line.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING

from harness.errors import Interrupted

if TYPE_CHECKING:
    from harness.ground.clock import Clock

# Set by whoever runs many requests: once somebody wants the run to end, no call is begun any more.
stopping: ContextVar[asyncio.Event | None] = ContextVar("stopping", default=None)


def go_on() -> None:
    """Raise `Interrupted` when the run is to end."""
    stop = stopping.get()
    if stop is not None and stop.is_set():
        raise Interrupted("stopped before it was asked; the same command goes on from there")


async def pause(clock: Clock, pause_s: float) -> None:
    """Wait, in seconds; `Interrupted` as soon as the run is to end."""
    stop = stopping.get()
    if stop is None:
        await clock.sleep(pause_s)
        return
    waits = [asyncio.ensure_future(clock.sleep(pause_s)), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    go_on()

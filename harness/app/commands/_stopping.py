"""Ctrl-C while calls are under way: end in good order, and keep what was paid."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from harness.app.commands._signals import SIGNALS, as_ctrl_c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def orderly(stop: asyncio.Event) -> Iterator[None]:
    """Within, the first such signal sets `stop`, and calls under way are awaited; the second drops them."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # it is one that runs this

    def ask() -> None:
        if stop.is_set():
            task.cancel()
            return
        stop.set()
        click.echo("stopping: calls under way are awaited, each for its time limit; once more drops them", err=True)

    handled = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    for number in handled:
        _handle(loop, number, ask)
    try:
        yield
    finally:
        for number in handled:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
        as_ctrl_c()


def _handle(loop: asyncio.AbstractEventLoop, number: int, ask: Callable[[], None]) -> None:
    """Let a signal call `ask` in the loop; Windows' loop takes no handlers, and is woken by the plain one."""
    try:
        loop.add_signal_handler(number, ask)
    except NotImplementedError:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ask))

"""Where work is done that needs no model: in this process, in processes beside it, on a Ray cluster.

Work is a function at the top of a module and a value that pickles; it says by paths and content ids what it is about.
The numbers are the same everywhere and in whatever order it is done: every function computes on one thread.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeVar

from harness.errors import ConfigError
from harness.runs.executors.alone import one_thread
from harness.runs.executors.inline import Inline
from harness.runs.executors.processes import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from harness.ground.spread_settings import Spread

A = TypeVar("A")
B = TypeVar("B")
AHEAD = 2
"""For each worker, so many tasks are handed out at once: it never waits for the next one."""


class Executor(Protocol):
    """Does work. Its workers see no key, and ask no model."""

    @property
    def workers(self) -> int:
        """How many tasks are done at once."""
        ...

    def submit(self, work: Callable[[A], B], task: A) -> Future[B]:
        """The result of `work(task)`, later. Raises what it raises; `WorkerLost` when workers end again and again."""
        ...

    def close(self) -> None:
        """End the workers; what has not begun is not done."""
        ...


def connect(spread: Spread) -> Executor:
    """The executor of the settings; `ConfigError` says what is missing."""
    if spread.executor == "ray":
        cluster: Executor = import_module("harness.runs.executors.ray_cluster").connect(spread.address, spread.workers)
        return cluster
    if spread.address is not None:
        raise ConfigError(f'address = {spread.address!r} is that of a Ray cluster: set executor = "ray" beside it')
    workers = spread.workers or os.cpu_count() or 1
    return Processes(workers) if spread.executor == "processes" and workers > 1 else Inline()


def threads(spread: Spread) -> AbstractContextManager[object]:
    """As many threads of the numeric libraries, for what this process computes itself, as workers have: one.

    Where no executor was chosen, as many as there are.
    """
    return nullcontext() if spread.executor is None else one_thread()


def as_done(
    executor: Executor, work: Callable[[A], B], tasks: Iterable[A], look_s: float | None = None
) -> Iterator[tuple[A, B] | None]:
    """Each task with its result, as soon as it is there; None after every `look_s` seconds in which none was done.

    An error of a task is raised after the results that were there with it.
    """
    rest = iter(tasks)
    waiting: dict[Future[B], A] = {}
    while True:
        # What is done at once, in this process, is handed on before the next begins.
        while len(waiting) < AHEAD * executor.workers and not any(future.done() for future in waiting):
            task = next(rest, None)
            if task is None:
                break
            waiting[executor.submit(work, task)] = task
        if not waiting:
            return
        done, _ = wait(waiting, look_s, FIRST_COMPLETED)
        for future in sorted(done, key=lambda future: future.exception() is not None):
            yield waiting.pop(future), future.result()
        if not done:
            yield None


def in_order(executor: Executor, work: Callable[[A], B], tasks: Iterable[A]) -> Iterator[B]:
    """The results, in the order of the tasks."""
    waiting: deque[Future[B]] = deque()
    for task in tasks:
        waiting.append(executor.submit(work, task))
        if len(waiting) >= AHEAD * executor.workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()

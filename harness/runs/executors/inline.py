"""Work done in this process, at once."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from harness.runs.executors.alone import alone

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
B = TypeVar("B")


class Inline:
    """An executor without workers of its own."""

    workers = 1

    def submit(self, work: Callable[[A], B], task: A) -> Future[B]:
        """The result, computed before this returns."""
        future: Future[B] = Future()
        try:
            future.set_result(alone(work, task))
        except Exception as error:  # noqa: BLE001  (whatever the work raises is raised by who asks for its result)
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing to end."""

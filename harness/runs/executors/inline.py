"""Work done in this process, at once."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar, cast

from harness.runs.executors.alone import outcome

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
        is_result, value = outcome(work, task)
        if is_result:
            future.set_result(cast("B", value))
        else:
            future.set_exception(cast("Exception", value))
        return future

    def close(self) -> None:
        """Nothing to end."""

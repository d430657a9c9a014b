"""The one thread that writes the ledger, in transactions that carry whatever has queued up meanwhile.

A thousand answers that arrive together cost one flush to the disk, or one way to the server and back.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from harness.errors import BudgetExceeded, StoreError, StoreGone
from harness.ground.clock import SystemClock
from harness.models.ledger import leases
from harness.models.ledger.tables import Disconnected, Tables, Unwritable

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_GROUP = 1000
LONGEST_TRY_S = 60.0
T = TypeVar("T")
Operation = Callable[[Tables], Any]
# What Python raises for a value that no column can hold, rather than for a place that cannot be written.
MISTAKES = (Unwritable, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class Job(NamedTuple):
    """An operation, and who waits for what it returns. `is_paid`: it records answers that money was spent on."""

    operation: Operation
    done: asyncio.Future[Any]
    is_paid: bool


class Writer:
    """A thread with tables of its own, which it closes in the end.

    `n_lost` paid answers could not be written, whatever the reason.
    """

    def __init__(self, tables: Tables, owner: str) -> None:
        self._tables, self._name, self._owner = tables, tables.name, owner
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._failure: StoreError | None = None
        self._under_way: Sequence[Job] = ()
        self._renewed_at_s: float | None = None
        self.n_lost = 0
        self._thread = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait until everything is written."""
        self._queue.put(None)
        self._thread.join()

    async def carry_out(self, operation: Callable[[Tables], T], *, is_paid: bool = False) -> T:
        """What the operation returns, once the transaction that it was part of is on the disk."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(Job(operation, done, is_paid))
        if self._failure is not None:
            self._refuse_the_rest(self._failure)
        return await done

    def _write(self) -> None:
        failure = StoreError(f"{self._name}: the ledger can no longer be written: it was stopped")
        try:
            self._write_groups(self._tables)
            return
        except StoreGone as problem:
            failure = problem
        except StoreError as problem:
            failure = StoreError(f"{self._name}: the ledger can no longer be written: {problem}")
        finally:
            # Whoever waits is told, whatever ended the thread: a run may fail, and must not hang.
            self._failure = failure
            self._refuse_the_rest(failure)

    def _write_groups(self, tables: Tables) -> None:
        try:
            while (group := self._next_group()) is not None:
                self._under_way = group
                _tell(group, self._results(tables, group))
                self._under_way = ()
            self._end(tables)
        finally:
            tables.close()

    def _end(self, tables: Tables) -> None:
        """Say that the owner is gone; a server that is gone knows it by that."""
        leases.ended_here.add(self._owner)
        try:
            with tables.transaction():
                tables.execute(leases.END, [self._owner])
        except (Disconnected, StoreError):
            return

    def _results(self, tables: Tables, group: Sequence[Job]) -> list[object]:
        """What the operations return, all of them in one transaction; the error of those that cannot be carried out."""
        try:
            return self._in_one(tables, group)
        except StoreGone:
            raise
        except StoreError as problem:
            self.n_lost += sum(job.is_paid for job in group)
            return [problem] * len(group)
        except MISTAKES as problem:
            if len(group) == 1:
                self.n_lost += group[0].is_paid
                return [StoreError(f"{self._name}: the ledger could not be written: {problem}")]
        # One of them cannot be written, whatever it is: the others are, each by itself.
        return [result for job in group for result in self._results(tables, [job])]

    def _in_one(self, tables: Tables, group: Sequence[Job]) -> list[object]:
        """What the operations return, in one transaction that is tried again while its server comes and goes."""
        end_s = SystemClock().monotonic() + LONGEST_TRY_S
        results: list[object] = []
        while True:
            try:
                with tables.transaction():
                    self._renew(tables)
                    results = [_attempted(job.operation, tables) for job in group]
            except Disconnected as problem:
                self._renewed_at_s = -leases.BEAT_S
                if not tables.regain():
                    if SystemClock().monotonic() > end_s:
                        raise StoreGone(f"{self._name}: the ledger's server comes and goes: {problem}") from None
                    continue
            return results

    def _renew(self, tables: Tables) -> None:
        now_s = SystemClock().monotonic()
        if self._renewed_at_s is None or now_s - self._renewed_at_s >= leases.BEAT_S:
            tables.renew(self._owner)
            self._renewed_at_s = now_s

    def _next_group(self) -> list[Job] | None:
        """Whatever is waiting, after a while perhaps nothing; None when the ledger is being closed.

        A ledger that was only read has nobody to tell that it is still there.
        """
        group: list[Job] = []
        while len(group) < LARGEST_GROUP and not (group and self._queue.empty()):
            try:
                entry = self._queue.get(timeout=None if self._renewed_at_s is None or group else leases.BEAT_S)
            except queue.Empty:
                break
            if entry is None:
                if group:
                    self._queue.put(None)  # to be met again once this group is written
                    break
                return None
            group.append(entry)
        return group

    def _refuse_the_rest(self, failure: StoreError) -> None:
        left = [*self._under_way]
        self._under_way = ()
        while not self._queue.empty():
            entry = self._queue.get()
            left += [] if entry is None else [entry]
        self.n_lost += sum(job.is_paid for job in left)
        _tell(left, [failure] * len(left))


def _attempted(operation: Operation, tables: Tables) -> object:
    try:
        return operation(tables)
    except (BudgetExceeded, StoreGone) as refused:  # an answer like any other: the group goes on
        return refused


def _tell(group: Sequence[Job], results: Sequence[object]) -> None:
    """Hand the results to whoever waits for them, each in the event loop it waits in."""

    def wake(done: asyncio.Future[Any], result: object) -> None:
        if done.done():
            return  # its task was cancelled meanwhile
        if isinstance(result, Exception):
            done.set_exception(result)
        else:
            done.set_result(result)

    def wake_all(told: Sequence[tuple[asyncio.Future[Any], object]]) -> None:
        for done, result in told:
            wake(done, result)

    waiting = [(job.done, result) for job, result in zip(group, results, strict=True)]
    for loop in {done.get_loop() for done, _ in waiting}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(wake_all, [pair for pair in waiting if pair[0].get_loop() is loop])

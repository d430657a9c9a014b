"""The ledger of paid answers: one SQLite file in WAL mode that several processes may write.

An answer is durable before it is used, never expires, and is found again by the hash of its
request. Failed and empty replies are recorded for the record and never served.

Every write goes through one thread, which carries out whatever has queued up in one transaction:
a thousand answers that arrive together cost one flush to the disk.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, fields
from typing import TYPE_CHECKING, Any, Self, TypeVar

from harness.errors import BudgetExceeded, ProviderError, StoreBusy, StoreError
from harness.ground import sqlite
from harness.ground.clock import SystemClock
from harness.models.ledger import batches, bookings, leases
from harness.models.ledger.schema import MIGRATIONS
from harness.types import Attempt, Response, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from harness.types import JSON

    # The request, what came of it, its bill if that is known, and its worst case.
    Result = tuple["Asked", Response | ProviderError, int | None, int | None]

LARGEST_GROUP = 1000
# What the column `response` holds, in this order; usage as sent and the attempts have columns of their own.
SAID = {field.name: None for field in fields(Response) if field.name not in ("raw_usage", "attempts", "cached")}.keys()
# The newest servable answer counts, so a deliberate re-ask replaces the one before.
# As one JSON text, for one call of the parser.
NEWEST = (
    "select '[' || response || ',' || coalesce(usage, 'null') || ',' || attempts || ']' "
    "from calls where key = ? and servable order by id desc limit 1"
)
T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], Any]
Job = tuple[Operation, "asyncio.Future[Any] | None"]
# What Python and SQLite raise for a value that no column can hold, rather than for a file that cannot be written.
MISTAKES = (
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way into the ledger: its key, its canonical text, when, and on whose account."""

    key: str
    text: str
    at: datetime
    account: str = ""
    prices_as_of: str = ""


class Ledger:
    """Paid answers by request. Use as a context manager: leaving it waits for every write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._owner = leases.new_owner()
        self._failure: StoreError | None = None
        self._reader = _connect(path)
        self._under_way: Sequence[Job] = ()
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._writer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._queue.put(None)
        self._writer.join()
        self._reader.close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def get(self, key: str) -> Response | None:
        """The newest answer to a request, with `cached` set; None when there is none to serve."""
        row = self._reader.execute(NEWEST, [key]).fetchone()
        return None if row is None else _response(*row)

    def spent(self, account: str) -> bookings.Spent:
        """What an account has cost so far, by every process."""
        return bookings.spent(self._reader, account)

    def billed(self, account: str, keys: Sequence[str]) -> int:
        """What the answers to these requests were billed on an account, in nano-dollars; an unknown bill is 0."""
        return bookings.billed(self._reader, account, keys)

    async def claim(self, key: str, at: datetime) -> bool:
        """True when this process may ask; False while another living one is asking the same."""
        return await self._carry_out(lambda connection: bookings.claim(connection, key, self._owner, at.timestamp()))

    async def disclaim(self, key: str) -> None:
        """Give a claim back: nothing was asked."""
        await self._carry_out(lambda connection: bookings.disclaim(connection, key, self._owner))

    async def reserve(self, account: str, key: str, nano: int, budget_nano: int) -> int:
        """The id of a reservation of a call's worst case; `BudgetExceeded` when the budget does not hold it."""
        return await self._carry_out(
            lambda connection: bookings.reserve(connection, (account, key, nano, self._owner), budget_nano)
        )

    async def release(self, reservation: int) -> None:
        """Give a reservation back: nothing was billed."""
        await self._carry_out(
            lambda connection: connection.execute("delete from reservations where id = ?", [reservation])
        )

    async def keep(self, reservation: int) -> None:
        """Let a reservation stand for good: no reply came, and the call may have been billed."""
        await self._carry_out(
            lambda connection: connection.execute("update reservations set owner = null where id = ?", [reservation])
        )

    async def owe(self, account: str, key: str, nano: int) -> None:
        """Note what a call without a reservation may have cost, for good: its bill is unknown."""
        await self._carry_out(lambda connection: bookings.owe(connection, account, key, nano))

    async def put(self, asked: Asked, response: Response, billed_nano: int | None = None) -> None:
        """Record an answer; returns once it is on the disk. An empty reply will not be served.

        Its claim ends, and the reservation with it; where the bill is unknown, the reservation stays.
        """
        row = _row(asked, response, response.attempts, billed_nano)
        await self._carry_out(lambda connection: bookings.record(connection, row, self._owner))

    async def put_failure(self, asked: Asked, attempts: Sequence[Attempt]) -> None:
        """Record that a request got no answer; the next time it is asked again."""
        row = _row(asked, None, attempts, 0)
        await self._carry_out(lambda connection: bookings.record(connection, row, self._owner))

    def open_batches(self, account: str) -> list[batches.Batch]:
        """The batches of an account that are under way at a provider, by every process."""
        return batches.open_ones(self._reader, account, self._owner)

    async def note_batch(
        self, fresh: batches.Batch, worst: Sequence[tuple[str, int]], budget_nano: int | None
    ) -> batches.Batch:
        """The batch to submit, noted before it is: see `batches.note`."""
        return await self._carry_out(
            lambda connection: batches.note(connection, fresh, self._owner, worst, budget_nano)
        )

    async def name_batch(self, mark: str, batch_id: str) -> None:
        """Note what the provider calls a batch."""
        await self._carry_out(lambda connection: batches.name(connection, mark, batch_id))

    async def drop_batch(self, mark: str) -> None:
        """Forget a batch that never reached the provider."""
        await self._carry_out(lambda connection: batches.drop(connection, mark))

    async def finish_batch(self, mark: str, results: Sequence[Result]) -> bool:
        """Record the answers and failures of a batch; False when another process was faster."""
        rows = [
            _row(asked, None, (Attempt(outcome.status, None, str(outcome), outcome.reply),), 0)
            if isinstance(outcome, ProviderError)
            else _row(asked, outcome, outcome.attempts, billed_nano)
            for asked, outcome, billed_nano, _ in results
        ]
        owed = [(asked.key, nano) for asked, outcome, billed, nano in results if nano and _is_unknown(outcome, billed)]
        return await self._carry_out(lambda connection: batches.finish(connection, mark, rows, owed, self._owner))

    async def _carry_out(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """What the operation returns, once the transaction that it was part of is on the disk."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put((operation, done))
        if self._failure is not None:
            self._refuse_the_rest(self._failure)
        return await done

    def _write(self) -> None:
        connection = _connect(self._path)
        ending: object = "it was stopped"
        try:
            self._write_groups(connection)
            leases.end(connection, self._owner)
            return
        except sqlite3.Error as problem:
            ending = problem
        finally:
            connection.close()
            # Whoever waits is told, whatever ended the thread: a run may fail, and must not hang.
            self._failure = StoreError(f"{self._path}: the ledger can no longer be written: {ending}")
            self._refuse_the_rest(self._failure)

    def _write_groups(self, connection: sqlite3.Connection) -> None:
        clock = SystemClock()
        renewed_at_s = -leases.BEAT_S
        while (group := self._next_group(is_new=renewed_at_s < 0)) is not None:
            if clock.monotonic() - renewed_at_s >= leases.BEAT_S:
                renewed_at_s = clock.monotonic()
                group = [(lambda open_one: leases.renew(open_one, self._owner), None), *group]
            self._under_way = group
            _tell(group, self._results(connection, group))
            self._under_way = []

    def _results(self, connection: sqlite3.Connection, group: Sequence[Job]) -> list[object]:
        """What the operations return, all of them in one transaction; the error of those that cannot be carried out."""
        try:
            with sqlite.transaction(connection):
                return [_attempted(operation, connection) for operation, _ in group]
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as problem:
            if not isinstance(problem, MISTAKES):
                return [self._problem(problem)] * len(group)
            mistake: Exception = problem
        except MISTAKES as problem:
            mistake = problem
        if len(group) == 1:
            return [self._problem(mistake)]
        # One of them cannot be written, whatever it is: the others are, each by itself.
        return [result for job in group for result in self._results(connection, [job])]

    def _problem(self, problem: Exception) -> StoreError:
        kind = StoreBusy if sqlite.is_busy(problem) else StoreError
        return kind(f"{self._path}: the ledger could not be written: {problem}")

    def _next_group(self, *, is_new: bool) -> list[Job] | None:
        """Whatever is waiting, after a while perhaps nothing; None when the ledger is being closed.

        A ledger that was only read has nobody to tell that it is still there.
        """
        group: list[Job] = []
        while len(group) < LARGEST_GROUP and not (group and self._queue.empty()):
            try:
                entry = self._queue.get(timeout=None if is_new or group else leases.BEAT_S)
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
        while not self._queue.empty():
            entry = self._queue.get()
            left += [] if entry is None else [entry]
        _tell(left, [failure] * len(left))


def _connect(path: Path) -> sqlite3.Connection:
    try:
        # Flushed on every commit, so an answer survives a power cut too, not only a kill.
        return sqlite.connect(path, MIGRATIONS, synchronous="full")
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} cannot be used as the ledger: {error}; close what holds it, or choose another with --db"
        ) from None


def _attempted(operation: Operation, connection: sqlite3.Connection) -> object:
    try:
        return operation(connection)
    except BudgetExceeded as refused:  # an answer like any other: the group goes on
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

    waiting = [(done, result) for (_, done), result in zip(group, results, strict=True) if done is not None]
    for loop in {done.get_loop() for done, _ in waiting}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(wake_all, [pair for pair in waiting if pair[0].get_loop() is loop])


def _is_unknown(outcome: Response | ProviderError, billed_nano: int | None) -> bool:
    return outcome.may_be_billed if isinstance(outcome, ProviderError) else billed_nano is None


def _row(
    asked: Asked, response: Response | None, attempts: Sequence[Attempt], billed_nano: int | None
) -> tuple[object, ...]:
    """A row of the table `calls`, in the order of `bookings.INSERT`."""
    said = None
    if response is not None:
        said = {name: getattr(response, name) for name in SAID}
        said["usage"] = None if response.usage is None else asdict(response.usage)
    servable = response is not None and (bool(response.text) or response.finish == "refusal")
    return (
        *(asked.key, _storable(asked.text), None if said is None else _json(said)),
        *(None if response is None else _json(response.raw_usage), _attempts(attempts), asked.prices_as_of),
        *(int(servable), asked.at.isoformat(), asked.account, billed_nano),
    )


def _attempts(attempts: Sequence[Attempt]) -> str:
    return _json(
        [[each.status, each.latency_s, each.error] if each.reply is None else list(astuple(each)) for each in attempts]
    )


def _storable(text: str) -> str:
    """JSON text with lone surrogates escaped: SQLite holds valid Unicode only."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _json(value: JSON) -> str:
    return json.dumps(value)  # in ASCII, which holds even a reply that is no valid Unicode


def _response(stored: str) -> Response:
    said, raw_usage, attempts = json.loads(stored)
    known = said if said.keys() == SAID else {name: value for name, value in said.items() if name in SAID}
    known["usage"] = _usage(known["usage"])
    tries = tuple(Attempt(*_values(attempt)) for attempt in attempts)
    return Response(**known, raw_usage=raw_usage, attempts=tries, cached=True)


def _usage(stored: dict[str, int] | None) -> Usage | None:
    """The tokens of a stored reply; None for what older versions believed and no call can have."""
    return None if stored is None or min(stored.values()) < 0 else Usage(**stored)


def _values(attempt: list[Any] | dict[str, Any]) -> list[Any]:
    """An attempt's fields in order; the first ledgers wrote their names beside them."""
    return attempt if isinstance(attempt, list) else [attempt["status"], attempt["latency_s"], attempt["error"]]

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
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self, TypeVar

from harness import wal
from harness.errors import BudgetExceeded, ProviderError, StoreError
from harness.ledger import batches, bookings
from harness.ledger.schema import MIGRATIONS
from harness.types import Attempt, Response, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from harness.types import JSON

    Result = tuple["Asked", Response | ProviderError, int | None]

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
Job = tuple[Operation, "asyncio.Future[Any]"]


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
        self._owner = bookings.owner()
        self._reader = _connect(path)
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._writer.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._queue.put(None)
        self._writer.join()
        self._reader.close()

    def get(self, key: str) -> Response | None:
        """The newest answer to a request, with `cached` set; None when there is none to serve."""
        row = self._reader.execute(NEWEST, [key]).fetchone()
        return None if row is None else _response(*row)

    def spent(self, account: str) -> bookings.Spent:
        """What an account has cost so far, by every process."""
        return bookings.spent(self._reader, account)

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
            _row(asked, None, (Attempt(outcome.status, None, str(outcome)),), 0)
            if isinstance(outcome, ProviderError)
            else _row(asked, outcome, outcome.attempts, billed_nano)
            for asked, outcome, billed_nano in results
        ]
        return await self._carry_out(lambda connection: batches.finish(connection, mark, rows, self._owner))

    async def _carry_out(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """What the operation returns, once the transaction that it was part of is on the disk."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put((operation, done))
        return await done

    def _write(self) -> None:
        connection = _connect(self._path)
        while group := self._next_group():
            try:
                with wal.transaction(connection):
                    results = [_attempted(operation, connection) for operation, _ in group]
            except sqlite3.Error as problem:
                results = [StoreError(f"{self._path}: the ledger could not be written: {problem}")] * len(group)
            _tell(group, results)
        connection.close()

    def _next_group(self) -> list[Job]:
        """Whatever is waiting, at least one operation; empty when the ledger is being closed."""
        group: list[Job] = []
        while len(group) < LARGEST_GROUP and not (group and self._queue.empty()):
            entry = self._queue.get()
            if entry is None:
                if group:
                    self._queue.put(None)  # to be met again once this group is written
                break
            group.append(entry)
        return group


def _connect(path: Path) -> sqlite3.Connection:
    try:
        # Flushed on every commit, so an answer survives a power cut too, not only a kill.
        return wal.connect(path, MIGRATIONS, synchronous="full")
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
    def wake() -> None:
        for (_, done), result in zip(group, results, strict=True):
            if done.done():
                continue  # its task was cancelled meanwhile
            if isinstance(result, Exception):
                done.set_exception(result)
            else:
                done.set_result(result)

    loop = group[0][1].get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake)


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
    return _json([[attempt.status, attempt.latency_s, attempt.error] for attempt in attempts])


def _storable(text: str) -> str:
    """JSON text with lone surrogates escaped: SQLite holds valid Unicode only."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _json(value: JSON) -> str:
    return json.dumps(value)  # in ASCII, which holds even a reply that is no valid Unicode


def _response(stored: str) -> Response:
    said, raw_usage, attempts = json.loads(stored)
    known = said if said.keys() == SAID else {name: value for name, value in said.items() if name in SAID}
    if known["usage"] is not None:
        known["usage"] = Usage(**known["usage"])
    tries = tuple(Attempt(*_values(attempt)) for attempt in attempts)
    return Response(**known, raw_usage=raw_usage, attempts=tries, cached=True)


def _values(attempt: list[Any] | dict[str, Any]) -> list[Any]:
    """An attempt's fields in order; the first ledgers wrote their names beside them."""
    return attempt if isinstance(attempt, list) else [attempt["status"], attempt["latency_s"], attempt["error"]]

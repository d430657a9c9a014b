"""The ledger of paid answers, in a SQLite file in WAL mode or on a PostgreSQL server, that several processes may write.

An answer is durable before it is used, never expires, and is found again by the hash of its
request. Failed and empty replies are recorded for the record and never served.

Every write goes through one thread (see `writing`). A look into a file is quicker than a change of threads; at a
server the others go on meanwhile.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from harness.errors import ProviderError, StoreError
from harness.ground import postgres
from harness.models.ledger import batches, bookings, leases
from harness.models.ledger.in_file import FileTables
from harness.models.ledger.on_server import ServerTables
from harness.models.ledger.rows import NEWEST, is_unknown, response_of, row_of
from harness.models.ledger.writing import Writer
from harness.types import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from types import TracebackType

    from harness.models.ledger.rows import Asked, Result
    from harness.models.ledger.tables import Tables
    from harness.types import Response


def place_of(text: str) -> Path | str:
    """The place that a person wrote: the address of a database, or the path of a file.

    `ConfigError`, which does not show it, for the address of something else.
    """
    if "://" in text and not postgres.is_address(text):
        postgres.address(text, "the ledger's address")
    return text if postgres.is_address(text) else Path(text)


def opener(place: Path | str) -> Callable[[], Tables]:
    """What connects to a ledger's tables: the file of a path, or the PostgreSQL database of an address."""
    if isinstance(place, str):
        return partial(ServerTables, postgres.address(place, "the ledger's address"))
    return partial(FileTables, place)


class Ledger:
    """Paid answers by request. Use as a context manager: leaving it waits for every write.

    `place` is a file, or the address of a database (see `postgres.address`).
    """

    def __init__(self, place: Path | str) -> None:
        opened = opener(place)
        self._owner = leases.new_owner()
        self._reader = opened()
        self._writer = Writer(opened(), self._owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        self._reader.close()
        if self._writer.n_lost and isinstance(error, StoreError):
            raise type(error)(
                f"{error}. Answers that were paid and could not be written down: {self._writer.n_lost}; what they may "
                "have cost stays reserved under a budget"
            ) from None

    @property
    def name(self) -> str:
        """The place, as it may be shown."""
        return self._reader.name

    def get(self, key: str) -> Response | None:
        """The newest answer to a request, with `cached` set; None when there is none to serve."""
        row = self._reader.read(lambda tables: tables.execute(NEWEST, [key]).fetchone())
        return None if row is None else response_of(*row)

    async def find(self, key: str) -> Response | None:
        """As `get`; calls that are under way go on while a server looks."""
        return self.get(key) if self._reader.answers_at_once else await asyncio.to_thread(self.get, key)

    def spent(self, account: str) -> bookings.Spent:
        """What an account has cost so far, by every process."""
        return self._reader.read(lambda tables: bookings.spent(tables, account))

    def billed(self, account: str, keys: Sequence[str]) -> int:
        """What the answers to these requests were billed on an account, in nano-dollars; an unknown bill is 0."""
        return self._reader.read(lambda tables: bookings.billed(tables, account, keys))

    async def claim(self, key: str, at: datetime) -> bool:
        """True when this process may ask; False while another living one is asking the same."""
        return await self._writer.carry_out(lambda tables: bookings.claim(tables, key, self._owner, at.timestamp()))

    async def disclaim(self, key: str) -> None:
        """Give a claim back: nothing was asked."""
        await self._writer.carry_out(lambda tables: bookings.disclaim(tables, key, self._owner))

    async def reserve(self, account: str, key: str, nano: int, budget_nano: int) -> int:
        """The id of a reservation of a call's worst case; `BudgetExceeded` when the budget does not hold it."""
        return await self._writer.carry_out(
            lambda tables: bookings.reserve(tables, (account, key, nano, self._owner), budget_nano)
        )

    async def release(self, reservation: int) -> None:
        """Give a reservation back: nothing was billed."""
        await self._writer.carry_out(
            lambda tables: tables.execute("delete from reservations where id = ?", [reservation])
        )

    async def keep(self, reservation: int) -> None:
        """Let a reservation stand for good: no reply came, and the call may have been billed."""
        await self._writer.carry_out(
            lambda tables: tables.execute("update reservations set owner = null where id = ?", [reservation])
        )

    async def owe(self, account: str, key: str, nano: int) -> None:
        """Note what a call without a reservation may have cost, for good: its bill is unknown."""
        await self._writer.carry_out(lambda tables: bookings.owe(tables, account, key, nano))

    async def put(self, asked: Asked, response: Response, billed_nano: int | None = None) -> None:
        """Record an answer; returns once it is on the disk. An empty reply will not be served.

        Its claim ends, and the reservation with it; where the bill is unknown, the reservation stays.
        """
        row = row_of(asked, response, response.attempts, billed_nano)
        await self._writer.carry_out(lambda tables: bookings.record(tables, row, self._owner), is_paid=True)

    async def put_failure(self, asked: Asked, attempts: Sequence[Attempt]) -> None:
        """Record that a request got no answer; the next time it is asked again."""
        row = row_of(asked, None, attempts, 0)
        await self._writer.carry_out(lambda tables: bookings.record(tables, row, self._owner))

    def open_batches(self, account: str) -> list[batches.Batch]:
        """The batches of an account that are under way at a provider, by every process."""
        return self._reader.read(lambda tables: batches.open_ones(tables, account, self._owner))

    async def note_batch(
        self, fresh: batches.Batch, worst: Sequence[tuple[str, int]], budget_nano: int | None
    ) -> batches.Batch:
        """The batch to submit, noted before it is: see `batches.note`."""
        return await self._writer.carry_out(lambda tables: batches.note(tables, fresh, self._owner, worst, budget_nano))

    async def name_batch(self, mark: str, batch_id: str) -> None:
        """Note what the provider calls a batch."""
        await self._writer.carry_out(lambda tables: batches.name(tables, mark, batch_id))

    async def drop_batch(self, mark: str) -> None:
        """Forget a batch that never reached the provider."""
        await self._writer.carry_out(lambda tables: batches.drop(tables, mark))

    async def finish_batch(self, mark: str, results: Sequence[Result]) -> bool:
        """Record the answers and failures of a batch; False when another process was faster."""
        rows = [
            row_of(asked, None, (Attempt(outcome.status, None, str(outcome), outcome.reply),), 0)
            if isinstance(outcome, ProviderError)
            else row_of(asked, outcome, outcome.attempts, billed_nano)
            for asked, outcome, billed_nano, _ in results
        ]
        owed = [(asked.key, nano) for asked, outcome, billed, nano in results if nano and is_unknown(outcome, billed)]
        return await self._writer.carry_out(
            lambda tables: batches.finish(tables, mark, rows, owed, self._owner), is_paid=True
        )

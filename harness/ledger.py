"""The ledger of paid answers: one SQLite file in WAL mode that several processes may write.

An answer is durable before it is used, never expires, and is found again by the hash of its
request. Failed and empty replies are recorded for the record and never served.

Writes go through one thread that commits whatever has queued up in one transaction, so a
thousand answers that arrive together cost one flush to the disk.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import threading
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Self

from harness import wal
from harness.errors import StoreError
from harness.types import Attempt, Response, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from harness.types import JSON, Request

LARGEST_GROUP = 1000

SCHEMA = """
create table if not exists calls (
    id integer primary key,
    key text not null,           -- hash of the request: everything that changes the answer
    request text not null,
    response text,               -- null when there was no reply
    usage text,                  -- as the provider sent it
    attempts text not null,      -- every try, with status, latency and error
    prices_as_of text,
    servable integer not null,   -- 0 for failed and empty replies
    at text not null
);
create index if not exists servable_calls on calls (key, id) where servable;
"""
INSERT = """
insert into calls (key, request, response, usage, attempts, prices_as_of, servable, at)
values (?, ?, ?, ?, ?, ?, ?, ?)
"""
# The newest servable answer counts, so a deliberate re-ask replaces the one before.
NEWEST = "select response, usage, attempts from calls where key = ? and servable order by id desc limit 1"

Row = tuple[str, str, str | None, str | None, str, str | None, int, str]


class Ledger:
    """Paid answers by request. Use as a context manager: leaving it waits for every write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Row, asyncio.Future[None]] | None] = queue.SimpleQueue()
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

    async def put(self, key: str, request: Request, response: Response, at: datetime, prices_as_of: str) -> None:
        """Record an answer; returns once it is on the disk. An empty reply will not be served."""
        said = asdict(replace(response, raw_usage=None, attempts=()))
        await self._append(
            (
                key,
                _json(asdict(request)),
                _json(said),
                _json(response.raw_usage),
                _attempts(response.attempts),
                prices_as_of,
                int(bool(response.text) or response.finish == "refusal"),
                at.isoformat(),
            )
        )

    async def put_failure(self, key: str, request: Request, attempts: Sequence[Attempt], at: datetime) -> None:
        """Record that a request got no answer; the next time it is asked again."""
        request_text = _json(asdict(request))
        await self._append((key, request_text, None, None, _attempts(attempts), None, 0, at.isoformat()))

    async def _append(self, row: Row) -> None:
        written = asyncio.get_running_loop().create_future()
        self._queue.put((row, written))
        await written

    def _write(self) -> None:
        connection = _connect(self._path)
        while group := self._next_group():
            try:
                with connection:
                    connection.executemany(INSERT, [row for row, _ in group])
                error = None
            except sqlite3.Error as problem:
                error = StoreError(f"{self._path}: the answer could not be written: {problem}")
            _tell(group, error)
        connection.close()

    def _next_group(self) -> list[tuple[Row, asyncio.Future[None]]]:
        """Whatever is waiting, at least one row; empty when the ledger is being closed."""
        group: list[tuple[Row, asyncio.Future[None]]] = []
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
        return wal.connect(path, SCHEMA, synchronous="full")
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} cannot be used as the ledger: {error}; close what holds it, or choose another with --db"
        ) from None


def _tell(group: list[tuple[Row, asyncio.Future[None]]], error: StoreError | None) -> None:
    def wake() -> None:
        for _, written in group:
            if written.done():
                continue  # its task was cancelled meanwhile
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

    loop = group[0][1].get_loop()
    if not loop.is_closed():
        loop.call_soon_threadsafe(wake)


def _attempts(attempts: Sequence[Attempt]) -> str:
    return _json([asdict(attempt) for attempt in attempts])


def _json(value: JSON) -> str:
    return json.dumps(value)  # in ASCII, which holds even a reply that is no valid Unicode


def _response(said: str, usage: str | None, attempts: str) -> Response:
    fields = json.loads(said)
    if fields["usage"] is not None:
        fields["usage"] = Usage(**fields["usage"])
    raw_usage: JSON = json.loads(usage) if usage else None
    tries = tuple(Attempt(**attempt) for attempt in json.loads(attempts))
    return Response(**(fields | {"raw_usage": raw_usage, "attempts": tries, "cached": True}))

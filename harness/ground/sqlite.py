"""SQLite files that several processes write at once: opened in WAL mode, with their tables.

SQLite waits for a lock by itself in every statement but two: the switch of a new file to WAL mode,
and the recovery after the last process closed it. Both answer "database is locked" at once when
another process is just there, and both can simply be tried again.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from sqlite3 import Connection
from typing import TYPE_CHECKING, Literal

from harness.ground import private
from harness.ground.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Migration = Sequence[str]

Error = sqlite3.Error
BUSY_TIMEOUT_S = 60.0
PAUSE_S = 0.01


def connect(path: Path, migrations: Sequence[Migration], synchronous: Literal["full", "normal"]) -> Connection:
    """An open connection, usable from any thread, with every migration applied.

    A migration is a list of statements; their number is the version of the file. `full` flushes
    every commit to the disk, so that it survives a power cut; `normal` survives only the end of
    the process. Raises `sqlite3.Error`.
    """
    clock = SystemClock()
    give_up_at_s = clock.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            return _connect(path, migrations, synchronous)
        except sqlite3.Error as error:
            if not is_busy(error) or clock.monotonic() >= give_up_at_s:
                raise
        clock.pause(PAUSE_S)


def _connect(path: Path, migrations: Sequence[Migration], synchronous: str) -> Connection:
    private.close(path)
    with private.files():  # the files beside it are made as it is
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute(f"pragma synchronous = {synchronous}")
        if _version(connection) != len(migrations):
            _migrate(connection, migrations)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _migrate(connection: Connection, migrations: Sequence[Migration]) -> None:
    with transaction(connection):
        version = _version(connection)  # another process may have been faster
        if version > len(migrations):
            raise sqlite3.DatabaseError(f"version {version} is newer than this program, which knows {len(migrations)}")
        for statement in (statement for migration in migrations[version:] for statement in migration):
            connection.execute(statement)
        connection.execute(f"pragma user_version = {len(migrations)}")


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All or nothing, and the only writer from the first statement on."""
    connection.execute("begin immediate")
    with connection:  # commits, or rolls back
        yield


def scrub(connection: Connection) -> bool:
    """Write the file anew without what was deleted; False when another process still reads what was there before.

    SQLite keeps deleted rows in free pages and in the log beside the file until both are written over.
    """
    connection.execute("vacuum")
    busy: int = connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    return not busy


def _version(connection: Connection) -> int:
    version: int = connection.execute("pragma user_version").fetchone()[0]
    return version


def is_busy(error: BaseException) -> bool:
    """Whether another process holds the file."""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def is_full(error: BaseException) -> bool:
    """Whether the disk does not take what is to be written."""
    return _code(error) in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _code(error: BaseException) -> int:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF

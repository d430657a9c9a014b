"""SQLite files that several processes write at once: opened in WAL mode, with their tables.

SQLite waits for a lock by itself in every statement but two: the switch of a new file to WAL mode,
and the recovery after the last process closed it. Both answer "database is locked" at once when
another process is just there, and both can simply be tried again.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Literal

import tenacity

if TYPE_CHECKING:
    from pathlib import Path

BUSY_TIMEOUT_S = 60.0


def connect(path: Path, schema: str, synchronous: Literal["full", "normal"]) -> sqlite3.Connection:
    """An open connection, usable from any thread, in autocommit mode until a `with` or `begin`.

    `schema` creates what is missing. `full` flushes every commit to the disk, so that it survives
    a power cut; `normal` survives only the end of the process. Raises `sqlite3.Error`.
    """
    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_busy),
        wait=tenacity.wait_random(0.005, 0.05),
        stop=tenacity.stop_after_delay(BUSY_TIMEOUT_S),
        reraise=True,
    )
    return again(_connect, path, schema, synchronous)


def _connect(path: Path, schema: str, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute(f"pragma synchronous = {synchronous}")
        connection.executescript(schema)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _is_busy(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}

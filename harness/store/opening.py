"""Opening the store's file for a moment, and letting it go.

DuckDB locks its file to one writing process and shuts readers out meanwhile, so nobody keeps it
open: a held lock is waited for, and then its holder is named.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import duckdb

from harness.errors import StoreBusy, StoreError, StoreFull
from harness.ground import private
from harness.store import schema
from harness.store.statements import literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

FORMAT = "v1.5.0"  # what duckdb 1.5 and 2.0 both read; 2.0's own default shuts 1.5 out
Config = dict[str, str | bool | int | float | list[str]]
READ_ONLY: Config = {"enable_external_access": "false", "lock_configuration": "true"}
WAIT_STEP_S = 0.05
HOLDER = re.compile(r"\(PID (\d+)\)")


class WaitingClock(Protocol):
    """The part of a clock that waiting needs."""

    def monotonic(self) -> float:
        """Seconds."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, blocking this thread."""
        ...


@contextmanager
def writing(path: Path, clock: WaitingClock, wait_s: float) -> Iterator[DuckDBPyConnection]:
    """The store, open for writing and at the newest schema; created if there is none."""
    if not path.exists():
        _create(path)
    private.close(path)
    with private.files(), _connection(path, clock, wait_s, read_only=False) as connection:
        schema.upgrade(connection, path)
        yield connection


@contextmanager
def reading(path: Path, clock: WaitingClock, wait_s: float) -> Iterator[DuckDBPyConnection]:
    """The store, open for reading only, cut off from every other file, settings locked."""
    if not path.exists():
        raise StoreError(f"there is no store at {path} yet; the first run makes it: harness baselines")
    with _connection(path, clock, wait_s, read_only=True) as connection:
        if schema.check(connection, path) == schema.NEWEST:
            yield connection
            return
    with writing(path, clock, wait_s):
        pass  # an older store, brought up to date
    with _connection(path, clock, wait_s, read_only=True) as connection:
        yield connection


@contextmanager
def copying(path: Path, clock: WaitingClock, wait_s: float) -> Iterator[DuckDBPyConnection]:
    """The store, open for reading only, and free to write other files: for SQL of our own alone."""
    with reading(path, clock, wait_s):
        pass  # there is one, and it has the newest schema
    with _connection(path, clock, wait_s, read_only=True, sealed=False) as connection:
        yield connection


@contextmanager
def _connection(
    path: Path, clock: WaitingClock, wait_s: float, *, read_only: bool, sealed: bool = True
) -> Iterator[DuckDBPyConnection]:
    connection = _connect(path, clock, wait_s, read_only=read_only, sealed=sealed)
    try:
        yield connection
    except (duckdb.FatalException, duckdb.IOException) as error:
        raise StoreFull(f"{path}: {_first_line(error)}; free some disk space and run the command again") from None
    finally:
        connection.close()


def _connect(path: Path, clock: WaitingClock, wait_s: float, *, read_only: bool, sealed: bool) -> DuckDBPyConnection:
    config = READ_ONLY if read_only and sealed else {}
    give_up_at_s = clock.monotonic() + wait_s
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:  # 2.0 raises the bare class for a damaged file
            text = str(error)
            if "lock" not in text:
                raise StoreError(_unusable(path, error)) from None
            if clock.monotonic() >= give_up_at_s:
                raise StoreBusy(_held(path, text, wait_s)) from None
            clock.pause(WAIT_STEP_S)


def _create(path: Path) -> None:
    """Make an empty store beside `path` and rename it, so that no half-made file ever has the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    try:
        _fill(fresh, path)
        os.link(fresh, path)  # unlike a rename, this leaves a store that another process just made
    except FileExistsError:
        pass
    except duckdb.IOException as error:
        raise StoreFull(f"{path}: {_first_line(error)}; free some disk space and run the command again") from None
    finally:
        fresh.unlink(missing_ok=True)


def _fill(fresh: Path, path: Path) -> None:
    with private.files(), duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(fresh))} as fresh (storage_version '{FORMAT}')")
        connection.execute("use fresh")
        schema.upgrade(connection, path)
        connection.execute("use memory")
        connection.execute("detach fresh")


def _held(path: Path, text: str, wait_s: float) -> str:
    holder = HOLDER.search(text)
    who = f"process {holder.group(1)}" if holder else "another process"
    return f"{path} is held by {who} (waited {wait_s:g} s); close it there, or choose another store with --db"


def _unusable(path: Path, error: duckdb.Error) -> str:
    return (
        f"{path} cannot be opened as a store: {_first_line(error)}; move it away to start a new one "
        "(paid answers stay in calls.sqlite)"
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].strip()

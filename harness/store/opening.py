"""Opening the store's file for a moment, and letting it go.

DuckDB locks its file to one writing process and shuts readers out meanwhile, so nobody keeps it
open: a held lock is waited for, and then its holder is named. Who only reads holds up nobody for long
(see `stepping_aside`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import duckdb

from harness.errors import StoreBusy, StoreError, StoreFull
from harness.ground import formatting, open_files, private
from harness.store import schema, stepping_aside
from harness.store.statements import literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

FORMAT = "v1.5.0"  # what duckdb 1.5 and 2.0 both read; 2.0's own default shuts 1.5 out
Config = dict[str, str | bool | int | float | list[str]]
READ_ONLY: Config = {"enable_external_access": "false", "lock_configuration": "true"}
MEMORY = "700MB"
LIMITED: Config = {"memory_limit": MEMORY}  # what a sort of millions of rows needs beyond it goes to the disk
WAIT_STEP_S = 0.05
TOLD_AFTER_S = 2.0
READER_PATIENCE_S = 1.0  # most readers are done by then; for others the store is copied
Tell = Callable[[str], None]
HELD = re.compile(r"lock|used by another process")  # the second is what Windows says
HOLDER = re.compile(r"\(PID (\d+)\)")


def silent(_: str) -> None:
    """Nobody is told."""


class WaitingClock(Protocol):
    """The part of a clock that waiting needs."""

    def monotonic(self) -> float:
        """Seconds."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, blocking this thread."""
        ...


@contextmanager
def writing(path: Path, clock: WaitingClock, wait_s: float, tell: Tell = silent) -> Iterator[DuckDBPyConnection]:
    """The store, open for writing and at the newest schema; created if there is none."""
    if not path.exists():
        _create(path)
    private.close(path)
    with private.files(), _connection(path, clock, wait_s, tell, read_only=False) as connection:
        schema.upgrade(connection, path)
        yield connection


@contextmanager
def reading(path: Path, clock: WaitingClock, wait_s: float, tell: Tell = silent) -> Iterator[DuckDBPyConnection]:
    """The store, open for reading only, cut off from every other file, settings locked."""
    if not path.exists():
        raise StoreError(f"there is no store at {path} yet; the first run makes it: harness baselines")
    with _connection(path, clock, wait_s, tell, read_only=True) as connection:
        if schema.check(connection, path) == schema.NEWEST:
            yield connection
            return
    with writing(path, clock, wait_s, tell):
        pass  # an older store, brought up to date
    with _connection(path, clock, wait_s, tell, read_only=True) as connection:
        yield connection


@contextmanager
def copying(path: Path, clock: WaitingClock, wait_s: float, tell: Tell = silent) -> Iterator[DuckDBPyConnection]:
    """The store, open for reading only, and free to write other files: for SQL of our own alone."""
    with reading(path, clock, wait_s, tell):
        pass  # there is one, and it has the newest schema
    with _connection(path, clock, wait_s, tell, read_only=True, sealed=False) as connection:
        yield connection


@contextmanager
def _connection(
    path: Path, clock: WaitingClock, wait_s: float, tell: Tell, *, read_only: bool, sealed: bool = True
) -> Iterator[DuckDBPyConnection]:
    config = READ_ONLY if read_only and sealed else LIMITED
    connection = _connect(path, clock, wait_s, tell, config, read_only=read_only)
    try:
        yield connection
    except (duckdb.FatalException, duckdb.IOException, duckdb.TransactionException) as error:
        raise StoreFull(f"{path}: {first_line(error)}; free some disk space and run the command again") from None
    finally:
        connection.close()


def attach(connection: DuckDBPyConnection, name: str, path: Path, clock: WaitingClock, wait_s: float) -> None:
    """Let a connection read another store that has the newest schema, once nobody writes it."""
    began_s = clock.monotonic()
    while True:
        try:
            with stepping_aside.in_place(path):
                connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
            return
        except duckdb.Error as error:
            _give_up_if_vain(path, error, clock.monotonic() - began_s, wait_s)
            clock.pause(WAIT_STEP_S)


def _opened(path: Path, config: Config, *, read_only: bool) -> DuckDBPyConnection:
    open_files.check_room()  # short of files, the database would end the process
    with stepping_aside.in_place(path):
        return duckdb.connect(str(path), read_only=read_only, config=config)


def _connect(
    path: Path, clock: WaitingClock, wait_s: float, tell: Tell, config: Config, *, read_only: bool
) -> DuckDBPyConnection:
    """The connection, once nobody else is in the way; `StoreBusy` after `wait_s`. Who waits long is told once."""
    began_s, is_told = clock.monotonic(), False
    while True:
        try:
            return _opened(path, config, read_only=read_only)
        except duckdb.Error as error:  # 2.0 raises the bare class for a damaged file
            text, waited_s = str(error), clock.monotonic() - began_s
            _give_up_if_vain(path, error, waited_s, wait_s)
            if waited_s >= TOLD_AFTER_S and not is_told:
                tell(f"waiting: {path.name} is held by {_holder(text)}; at most {formatting.duration(wait_s)}")
                is_told = True
            is_read = not read_only and stepping_aside.is_read_elsewhere(text)
            was_patient = waited_s >= min(READER_PATIENCE_S, wait_s / 2)
            if not (is_read and was_patient and stepping_aside.step_aside(path)):
                clock.pause(WAIT_STEP_S)


def _give_up_if_vain(path: Path, error: duckdb.Error, waited_s: float, wait_s: float) -> None:
    """Return where waiting may help; else raise what is wrong."""
    text = str(error)
    if "different configuration" in text:
        raise StoreBusy(
            f"{path} is open in this very process, by a connection that is not ours; close it (connection.close()), "
            "or read by the Python API, harness sql or a copy of the file"
        ) from None
    if not HELD.search(text):
        raise StoreError(_unusable(path, error)) from None
    if waited_s >= wait_s:
        raise StoreBusy(_held(path, text, wait_s)) from None


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
    except OSError:  # a file system without links, as memory sticks have
        if not path.exists():
            fresh.rename(path)
    except duckdb.IOException as error:
        raise StoreFull(f"{path}: {first_line(error)}; free some disk space and run the command again") from None
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
    return f"{path} is held by {_holder(text)} (waited {wait_s:g} s); close it there, or choose another store with --db"


def _holder(text: str) -> str:
    holder = HOLDER.search(text)
    return f"process {holder.group(1)}" if holder else "another process"


def _unusable(path: Path, error: duckdb.Error) -> str:
    return (
        f"{path} cannot be opened as a store: {first_line(error)}; move it away to start a new one "
        "(paid answers stay in calls.sqlite)"
    )


def first_line(error: Exception) -> str:
    """What a database's error says, without its drawings."""
    return str(error).partition("\n")[0].strip()

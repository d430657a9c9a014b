"""A DuckLake as the store: read and written by many machines at a time.

What is read is of one snapshot. What is written is done under a lease (see `leases`), again where another's change got
in between, and again when the server was away meanwhile: nothing that was acknowledged is lost, nothing stands twice.
"""

from __future__ import annotations

import re
import weakref
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from harness.errors import ConfigError, HarnessError, StoreBusy, StoreError, StoreFull
from harness.store import schema, transactions
from harness.store.database import attached
from harness.store.lake import attaching, erasing, expiring, guarding
from harness.store.lake.leases import Leases, Patience, ServerAway
from harness.store.opening import first_line, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duckdb import DuckDBPyConnection

    from harness.ground.clock import SystemClock
    from harness.store.database import Beside, T, Tell, Waits, Work
    from harness.store.erasing import Erasure
    from harness.store.lake.address import LakeAddress

AWAY = re.compile(
    r"unable to connect|server closed the connection|terminating connection|connection to server|no connection to the|"
    r"could not receive data|could not send data|the database system is|Failed to execute query \"(ROLLBACK|COMMIT)",
    re.IGNORECASE,
)
FULL = re.compile(r"no space left|disk quota|could not write|cannot write", re.IGNORECASE)
MOST_CONFLICTS = 30
CONFLICT_PAUSE_S = 0.05
CATALOGUE = "select to_regclass('public.ducklake_metadata') is not null"
DATA = "select value from public.ducklake_metadata where key = 'data_path' and scope is null"
OLDEST = "select min(snapshot_id) from public.ducklake_snapshot"
SNAPSHOTS = (
    "select min(snapshot_id), max(snapshot_id), count(*) filter (where snapshot_id = %s) from public.ducklake_snapshot"
)


class _Conflict(Exception):
    """Another's change got in between; the same once more may do."""


class Lake:
    """The store in a lake; a `database.Database`. One per process and thread of work."""

    def __init__(self, address: LakeAddress, clock: SystemClock, waits: Waits) -> None:
        self.address, self._clock, self._waits = address, clock, waits
        self.tell: Tell = silent
        self._leases = Leases(address.conninfo, clock)
        self._open: dict[str, DuckDBPyConnection] = {}
        self._depth: Counter[str] = Counter()  # moments that are open on a connection, one within another
        self._is_pinned = False
        self._oldest: dict[str, int] = {}  # the oldest snapshot that there was when a connection was used last
        weakref.finalize(self, _let_go, self._open, self._leases)

    @property
    def name(self) -> str:
        """The address, which holds no password."""
        return self.address.name

    def exists(self) -> bool:
        """Whether somebody has made the lake and its tables."""
        return self._data() is not None

    def pin(self) -> None:
        """Read one snapshot from now on, the newest one, until `close`."""
        self._is_pinned = True

    @contextmanager
    def reading(self) -> Iterator[DuckDBPyConnection]:
        """The lake at one snapshot: for reading alone, cut off from every file but the lake's, settings locked."""
        with self._moment("reader") as connection:
            yield connection

    @contextmanager
    def asking(self, sql: str) -> Iterator[DuckDBPyConnection]:
        """The same, once the statement is one that reads the store's own tables alone (see `guarding`)."""
        with self.reading() as connection:
            guarding.check(connection, sql)
            yield connection

    @contextmanager
    def copying(self) -> Iterator[DuckDBPyConnection]:
        """The lake at one snapshot, and files to write."""
        with self._moment("copier") as connection:
            yield connection

    def write(self, work: Work[T], *parts: str, beside: Beside | None = None) -> T:
        """Do `work` in a transaction, as the holder of a lease on `parts`."""
        if self.address.as_of is not None:
            raise ConfigError(f"--as-of {self.address.as_of} reads what was; leave it out to write")
        return self._alone(lambda: self._once(work, beside), parts)

    def attach(self, connection: DuckDBPyConnection, name: str) -> None:
        """Let another connection read the lake."""
        data = self._data()
        assert data is not None, "it was read before"
        try:
            attaching.attach(connection, self.address, data, name, read_only=True)
        except duckdb.Error as error:
            meant = self._meant(error)
            raise (StoreBusy(str(meant)) if isinstance(meant, ServerAway) else meant) from None

    def erase(self, erasure: Erasure, *, dry_run: bool = False) -> Counter[str]:
        """Take items out of the newest snapshot, and give up every older one with the files behind it."""
        if not self.exists():
            return Counter()
        counts = self.write(partial(erasing.counted if dry_run else erasing.taken_out, erasure))
        if not dry_run:
            self.keep_newest()
        return counts

    def keep_newest(self) -> None:
        """Give up every snapshot but the newest, with what they alone had."""

        def expire() -> None:
            try:
                expiring.expire(self._writer(), self._leases)
            except duckdb.Error as error:
                raise self._meant(error) from None

        self._alone(expire)

    def snapshot(self) -> int | None:
        """The number of the snapshot that is read now."""
        if self.address.as_of is not None:
            return self.address.as_of
        with self.reading() as connection:
            found = connection.execute(f"from {attaching.ALIAS}.current_snapshot()").fetchone()
        return int(found[0]) if found else None

    def close(self) -> None:
        """Let go of the server."""
        self._is_pinned = False
        self._depth.clear()
        _let_go(self._open, self._leases)

    # -- reading -----------------------------------------------------------------------------------

    @contextmanager
    def _moment(self, role: str) -> Iterator[DuckDBPyConnection]:
        connection = self._begun(role)
        self._depth[role] += 1
        try:
            yield connection
        except duckdb.Error as error:
            meant = self._meant(error)
            if isinstance(meant, ServerAway):
                raise StoreBusy(f"{self.name}: {meant}; run the command again") from None
            raise meant from None
        finally:
            self._depth[role] -= 1
            if not self._depth[role]:
                transactions.give_up(connection)

    def _begun(self, role: str) -> DuckDBPyConnection:
        """A connection within a transaction that reads, once the server answers."""
        if self._depth[role]:
            return self._open[role]
        waiting = Patience(self._clock, self._waits.reader_s, self.tell)
        while True:
            try:
                connection = self._connection(role)
                connection.execute("begin")
                connection.execute("select 1 from schema_versions limit 1")  # now the snapshot is chosen
                self._depth[role] += self._is_pinned  # then it is open until `close`
                return connection
            except (ServerAway, duckdb.Error) as error:
                self._drop(role)
                meant = self._meant(error) if isinstance(error, duckdb.Error) else error
                if not isinstance(meant, ServerAway):
                    raise meant from None
                waiting.on(meant)

    def _connection(self, role: str) -> DuckDBPyConnection:
        self._renew(role)
        if role in self._open:
            return self._open[role]
        data = self._data()
        if data is None:
            raise StoreError(f"there is no store at {self.name} yet; the first run makes it: harness baselines")
        if self.address.as_of is not None:
            self._check_snapshot(self.address.as_of)
        connection = self._open[role] = attaching.attached(self.address, data, read_only=True)
        if schema.check(connection, self.name) < schema.NEWEST:
            if self.address.as_of is not None:
                raise ConfigError(
                    f"--as-of {self.address.as_of}: it was written before the tables had the form that this version "
                    "reads; take a later snapshot"
                )
            self._drop(role)
            self._make_ready()
            connection = self._open[role] = attaching.attached(self.address, data, read_only=True)
        if role == "reader":
            attaching.seal(connection, data)
        else:
            attaching.limit(connection)
        self._renew(role)
        return connection

    def _renew(self, role: str) -> None:
        """Let go of a connection that was made before snapshots were given up: it remembers what is no more there."""
        if role not in self._open:
            return
        oldest = int(self._leases.patiently(OLDEST, [], self._waits.reader_s, self.tell)[0][0])
        if self._oldest.setdefault(role, oldest) != oldest:
            self._drop(role)

    def _check_snapshot(self, number: int) -> None:
        (oldest, newest, n) = self._leases.ask(SNAPSHOTS, [number])[0]
        if not n:
            raise ConfigError(
                f"--as-of {number}: there is no such snapshot; found {oldest} to {newest} (one that was expired, as "
                "harness forget does, is gone)"
            )

    # -- writing -----------------------------------------------------------------------------------

    def _alone(self, work: Callable[[], T], parts: tuple[str, ...] = ()) -> T:
        """Do `work` under a lease, again where another got in between or the server was away."""
        waiting, conflicts = Patience(self._clock, self._waits.writer_s, self.tell), 0
        while True:
            try:
                self._make_ready()
                with self._leases.held(parts, self._waits.writer_s, self.tell):
                    return work()
            except ServerAway as away:
                self._drop("writer")
                waiting.on(away)
            except _Conflict as conflict:
                conflicts += 1
                if conflicts > MOST_CONFLICTS:
                    raise StoreBusy(f"{self.name}: {conflict} ({conflicts} times); run the command again") from None
                self._clock.pause(CONFLICT_PAUSE_S * conflicts)

    def _once(self, work: Work[T], beside: Beside | None) -> T:
        def checked(connection: DuckDBPyConnection) -> T:
            result = work(connection)
            self._leases.check()  # who has lost the lease must not commit
            return result

        connection = self._writer()
        try:
            with attached(connection, beside):
                return transactions.done(connection, checked)
        except duckdb.Error as error:
            raise self._meant(error) from None

    def _writer(self) -> DuckDBPyConnection:
        if "writer" not in self._open:
            data = self._data() or self.address.data
            assert data is not None, "it was made ready before"
            try:
                self._open["writer"] = attaching.attached(self.address, data, read_only=False)
                attaching.limit(self._open["writer"])
                self._renew("writer")
            except duckdb.Error as error:
                raise self._meant(error) from None
        return self._open["writer"]

    def _make_ready(self) -> None:
        """See to it that the lake is there, with tables in the newest form."""
        self._renew("writer")
        if "writer" in self._open:
            return
        attaching.check()
        data = self._data()
        if data is None and self.address.data is None:
            raise ConfigError(
                f"{self.name} holds no store yet, and its rows need a place: set db_data to a folder that everybody "
                "sees, or to s3://bucket/prefix, in [tool.harness] or harness.toml"
            )
        try:
            if data is None or schema.check(self._writer(), self.name) < schema.NEWEST:
                with self._leases.held((), self._waits.writer_s, self.tell):
                    self._make_folder()
                    schema.upgrade(self._writer(), self.name)
        except duckdb.Error as error:
            self._drop("writer")
            raise self._meant(error) from None
        except BaseException:
            self._drop("writer")
            raise

    def _make_folder(self) -> None:
        if self.address.data is not None and "://" not in self.address.data:
            Path(self.address.data).mkdir(parents=True, exist_ok=True)

    def _data(self) -> str | None:
        """Where the catalogue says that the rows are; None while there is no lake."""
        attaching.check()
        wait_s = self._waits.reader_s
        if not self._leases.patiently(CATALOGUE, [], wait_s, self.tell)[0][0]:
            return None
        found = str(self._leases.patiently(DATA, [], wait_s, self.tell)[0][0])
        if self.address.data not in (None, found):
            raise ConfigError(
                f"db_data: found {self.address.data!r}, and the rows of {self.name} are in {found!r}; leave db_data out"
            )
        return found

    # -- errors ------------------------------------------------------------------------------------

    def _meant(self, error: duckdb.Error) -> HarnessError | ServerAway | _Conflict:
        """What an error of the database is for us."""
        text = first_line(error)
        if FULL.search(text):
            return StoreFull(f"{self.name}: {text}; make room there and run the command again")
        if AWAY.search(str(error)):
            return ServerAway(text)
        try:
            self._leases.check()
        except ServerAway as away:
            return away
        if isinstance(error, duckdb.TransactionException) or "onflict" in text:
            return _Conflict(text)
        return StoreError(f"{self.name}: {text}")

    def _drop(self, role: str) -> None:
        connection = self._open.pop(role, None)
        self._oldest.pop(role, None)
        if connection is not None:
            transactions.give_up(connection)
            with suppress(duckdb.Error):
                connection.close()


def _let_go(connections: dict[str, DuckDBPyConnection], leases: Leases) -> None:
    while connections:
        _, connection = connections.popitem()
        transactions.give_up(connection)
        with suppress(duckdb.Error):
            connection.close()
    leases.close()

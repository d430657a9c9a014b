"""The ledger's tables on a PostgreSQL server, in a schema of their own, for several machines.

As in a file there is one writer at a time, by a lock that ends with its transaction, so that the same statements
keep the same promises. Statements whose result nobody waits for travel with the next one. Every transaction leaves its
own number: after a connection was lost that is looked for, so that nothing is written twice, and nothing taken for
written that was not. (The server's numbers of transactions do not tell: after a crash it gives the last ones again.)
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import harness.ground.postgres as server
from harness.errors import StoreBusy, StoreError, StoreFull, StoreGone
from harness.ground.clock import SystemClock
from harness.ground.traces import ERASED
from harness.models.ledger import fingerprints, leases
from harness.models.ledger.fingerprints import Fingerprint
from harness.models.ledger.schema import SERVER_MIGRATIONS
from harness.models.ledger.tables import Disconnected, Unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
OPEN_S, REGAIN_S = 10.0, 60.0
PAUSE_S = 0.1
OLDEST = 130000  # PostgreSQL 13
# What is written otherwise than in SQLite.
WORDS = (("json_each(?)", "json_array_elements_text(cast(? as json))"), ("?", "%s"))
LOCK = "hashtextextended('harness ledger', 0)"
BEGIN = f"select pg_advisory_xact_lock({LOCK})"
HOLD = "select pg_try_advisory_lock(hashtextextended(?, 1))"
HAS_VERSIONS = "select 1 from pg_tables where schemaname = 'harness_ledger' and tablename = 'versions'"
NOW = "cast(extract(epoch from clock_timestamp()) as double precision)"
RENEW = f"insert into owners values (?, {NOW}) on conflict (owner) do update set seen_s = excluded.seen_s"
FORGET = f"delete from owners where seen_s < {NOW} - ?"
# The number of the last transaction of a connection, and of those that have followed it where it was lost.
MARK = f"""
insert into written values (?, ?, {NOW})
on conflict (writer) do update set number = excluded.number, at_s = excluded.at_s
"""
MARKED = "select 1 from written where writer = ? and number = ?"
FORGET_MARKS = f"delete from written where at_s < {NOW} - ?"
# A lease is a lock that the server lets go when the connection ends, in the hands of somebody who still renews it.
# Whoever has not come back since the server was started, or has crashed, is waited for.
LIVING = f"""
select owner, case when seen_s < started_s then now_s - started_s < ? else now_s - seen_s < ? and exists (
    select 1 from pg_locks where locktype = 'advisory' and granted and objsubid = 1
    and database = (select oid from pg_database where datname = current_database())
    and ((cast(classid as bigint) << 32) | cast(objid as bigint)) = hashtextextended(owner, 1)) end
from owners, (select {NOW} as now_s, greatest(
                  cast(extract(epoch from pg_postmaster_start_time()) as double precision),
                  coalesce((select max(since_s) from uncrashed), {NOW})) as started_s) clock
"""
UNCRASHED = f"insert into uncrashed select {NOW} where not exists (select from uncrashed)"
HOLDING = """
select id, request, response, attempts from calls where key <> ? and (
    exists (select 1 from json_each(?) as word
            where strpos(lower(request || coalesce(response, '') || attempts collate "C"), word.value) > 0)
    or exists (select 1 from json_each(?) as said where strpos(response, said.value) > 0))
"""


@cache
def _translated(statement: str) -> str:
    for ours, theirs in WORDS:
        statement = statement.replace(ours, theirs)
    return statement


class ServerTables:
    """An open connection; see `tables.Tables`. Raises `StoreError` when there is none to be had."""

    answers_at_once = False

    def __init__(self, address: server.Address) -> None:
        self.name, self._address = address.name, address
        self._one_reader = threading.RLock()
        self._writer, self._number = uuid4().hex, 0
        self._is_unsure = False  # whether the last transaction was written
        self._living: dict[str, bool] | None = None  # while a transaction lasts
        self._is_writing = self._held = False
        self._connection: Any = None
        self._connect(OPEN_S)

    def execute(self, statement: str, values: Sequence[object] = ()) -> Any:  # noqa: ANN401  (psycopg's cursor)
        """Carry out a statement; of one whose rows are not fetched, an error comes with a later one."""
        return self._connection.execute(_translated(statement), values)

    def read(self, look: Callable[[ServerTables], T]) -> T:
        """What is seen; the connection is made anew where it was lost."""
        with self._one_reader:
            end_s = SystemClock().monotonic() + REGAIN_S
            while True:
                try:
                    with self._translating():
                        return look(self)
                except Disconnected as problem:
                    self._refuse_after(end_s, problem)
                    self.regain()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and the only writer from the first statement on."""
        self._number, self._is_writing, self._is_unsure = self._number + 1, True, True
        try:
            with self._translating(), self._connection.pipeline(), self._connection.transaction():
                self.execute(BEGIN)
                self.execute(MARK, [self._writer, self._number])
                yield
            self._is_unsure = False
        finally:
            self._is_writing, self._living = False, None

    def regain(self) -> bool:
        """Connect again; whether the transaction that was being ended had been written."""
        self.close()
        self._held = False
        return self._connect(REGAIN_S)

    def _connect(self, wait_s: float) -> bool:
        """Connect while the server is on its way; whether the transaction that was being ended had been written."""
        clock = SystemClock()
        end_s = clock.monotonic() + wait_s
        while True:
            try:
                with self._translating(is_new=True):
                    self._connection = self._opened()
                with self._translating():
                    return self._was_written()
            except Disconnected as problem:
                self._refuse_after(end_s, problem)
            clock.pause(PAUSE_S)

    def _was_written(self) -> bool:
        if not self._is_unsure:
            return False
        with self._connection.transaction():
            self.execute(BEGIN)  # once it is ours, what was under way has ended
            found = self.execute(MARKED, [self._writer, self._number]).fetchone()
        self._is_unsure = False
        return found is not None

    def _refuse_after(self, end_s: float, problem: Disconnected) -> None:
        if SystemClock().monotonic() > end_s:
            raise StoreGone(
                f"{self.name}: the ledger's server cannot be reached: {problem}; once it is there, repeat"
            ) from None

    def check_place(self) -> None:
        """A server's tables are where they are."""

    def renew(self, owner: str) -> None:
        """Say that an owner is still there, and that it is gone as soon as this connection is."""
        self.execute(UNCRASHED)  # first, so that this owner has come back since
        self.execute(RENEW, [owner])
        self.execute(FORGET, [leases.FORGOTTEN_S])
        self.execute(FORGET_MARKS, [leases.FORGOTTEN_S])
        if not self._held:
            self._held = self.execute(HOLD, [owner]).fetchone()[0]

    def is_alive(self, owner: str) -> bool:
        """Whether an owner still uses the ledger; looked up once in a transaction."""
        living = self._living
        if living is None:
            rows = self.execute(LIVING, [leases.LEASE_S, leases.LEASE_S]).fetchall()
            living = {one: leases.runs_here(one, otherwise=has_lease) for one, has_lease in rows}
            self._living = living if self._is_writing else None
        return living.get(owner, False)

    def holding(self, words: Sequence[str], request_ids: Sequence[str]) -> list[Any]:
        """Calls that say a word or have one of the ids."""
        said = [f'"request_id": {json.dumps(one)}' for one in request_ids]  # as a response is written
        rows: list[Any] = self.execute(HOLDING, [ERASED, json.dumps(words), json.dumps(said)]).fetchall()
        return rows

    def fingerprints(self, after: int) -> list[Fingerprint]:
        """The next calls after an id; the server hashes them."""
        rows = self.read(lambda one: one.execute(fingerprints.ON_SERVER, [after]).fetchall())
        return [Fingerprint(*row) for row in rows]

    def scrub(self) -> bool:
        """Write the calls anew without what was deleted."""
        with self._translating():
            self._connection.execute("vacuum full calls")
        return True

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()

    def _opened(self) -> Any:  # noqa: ANN401
        connection = server.connect(self._address)
        try:
            _migrate(connection, self.name)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _translating(self, *, is_new: bool = False) -> Iterator[None]:
        """What psycopg raises, as errors of the ledger; `is_new`: while there is no connection yet."""
        try:
            yield
        except server.errors() as problem:
            raise self._error(problem, None if is_new else self._connection) from None

    def _error(self, problem: Exception, connection: Any) -> Exception:  # noqa: ANN401
        line = server.reason(problem)
        match server.kind(problem, connection):
            case "gone":
                return Disconnected(line)
            case "value":
                return Unwritable(line)
            case "busy":
                return StoreBusy(f"{self.name}: another process holds the ledger: {line}; once it has ended, repeat")
            case "full":
                return StoreFull(f"{self.name}: the ledger could not be written: {line}")
        return StoreError(f"{self.name} cannot be used as the ledger: {line}")


def _migrate(connection: Any, name: str) -> None:  # noqa: ANN401
    if connection.info.server_version < OLDEST:
        raise StoreError(f"{name} is PostgreSQL {connection.info.server_version // 10000}; expected 13 or newer")
    if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
        raise StoreError(f"{name} is a database in {encoding}; expected one in UTF8, which holds every text")
    if _version(connection) != len(SERVER_MIGRATIONS):
        with connection.transaction():
            connection.execute(BEGIN)
            version = _version(connection)  # another process may have been faster
            if version > len(SERVER_MIGRATIONS):
                raise StoreError(
                    f"{name}: the ledger's version {version} is newer than this program, which knows "
                    f"{len(SERVER_MIGRATIONS)}; upgrade it"
                )
            for statement in (one for migration in SERVER_MIGRATIONS[version:] for one in migration):
                connection.execute(statement)
            if version < len(SERVER_MIGRATIONS):
                connection.execute("insert into harness_ledger.versions values (%s)", [len(SERVER_MIGRATIONS)])
    connection.execute("set search_path = harness_ledger")


def _version(connection: Any) -> int:  # noqa: ANN401
    # By a query, which sees what another process has just made; a name is looked up in what this session remembers.
    if connection.execute(HAS_VERSIONS).fetchone() is None:
        return 0
    version: int = connection.execute("select coalesce(max(number), 0) from harness_ledger.versions").fetchone()[0]
    return version

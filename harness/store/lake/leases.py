"""Leases: who may change which part of a lake. A lease is an advisory lock of PostgreSQL, held by a session of ours.

It ends with its holder: when a process is killed, the server sees the connection close and gives the lock to the next.
A lake has no keys, so two writers of one run would enter a row twice; the lease lets one of them look and write at a
time.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError, StoreBusy, StoreError
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.ground.clock import SystemClock

    Tell = Callable[[str], None]

INSTALL = "pip install 'prompt-harness[team]', in an environment of its own (it wants another duckdb than the lock's)"
WHOLE = "the whole store"
TOLD_AFTER_S = 2.0
PAUSE_S = 0.2
CONNECT_TIMEOUT_S = 5
VAIN = re.compile(
    r"password|authentication|does not exist|no pg_hba\.conf entry|invalid (connection|URI|integer)|could not parse|"
    r"missing \"=\"|support SSL|certificate",
    re.IGNORECASE,
)
# A connection that is half dead is noticed within half a minute, so that its lease passes on.
ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "application_name": "harness"}


class ServerAway(Exception):
    """The server does not answer now, and may later."""


class Leases:
    """One session with the server that holds leases; it is made when it is wanted first, and again when it broke."""

    def __init__(self, conninfo: str, clock: SystemClock) -> None:
        self._conninfo, self._clock = conninfo, clock
        self._session: Any = None

    def ask(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query; `ServerAway` when the server does not answer, `StoreError` when it refuses."""
        psycopg = _psycopg()
        try:
            found = self._connected().execute(query, list(values))
            return found.fetchall() if found.description else []
        except psycopg.OperationalError as error:
            raise ServerAway(_line(error)) from None
        except psycopg.Error as error:
            raise StoreError(f"PostgreSQL: {_line(error)}") from None

    def patiently(self, query: str, values: Sequence[object], wait_s: float, tell: Tell) -> list[tuple[Any, ...]]:
        """The same, once the server answers; `StoreBusy` after `wait_s`."""
        waiting = Patience(self._clock, wait_s, tell)
        while True:
            try:
                return self.ask(query, values)
            except ServerAway as away:
                waiting.on(away)

    @contextmanager
    def held(self, parts: Sequence[str], wait_s: float, tell: Tell) -> Iterator[None]:
        """The right to change these parts alone, or the whole store where there are none.

        Raises `StoreBusy` when another holds one of them for longer than `wait_s`, `ServerAway` when the server goes.
        """
        try:
            self._take(WHOLE, wait_s, tell, is_shared=bool(parts))
            for part in parts:
                self._take(part, wait_s, tell, is_shared=False)
            yield
        finally:
            with suppress(ServerAway, StoreError):
                self.ask("select pg_advisory_unlock_all()")

    def check(self) -> None:
        """Raise `ServerAway` when the session has ended, and with it what it held."""
        session = self._session
        if session is None or session.closed:
            raise ServerAway("the session that held the lease has ended")
        psycopg = _psycopg()
        try:
            session.execute("select 1")
        except psycopg.Error as error:
            raise ServerAway(_line(error)) from None

    def close(self) -> None:
        """End the session, and with it every lease."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception):  # a broken session need not be closed well
                session.close()

    def _take(self, part: str, wait_s: float, tell: Tell, *, is_shared: bool) -> None:
        lock = "pg_advisory_lock_shared" if is_shared else "pg_advisory_lock"
        number = _number(part)
        if self._is_taken(lock, number, min(TOLD_AFTER_S, wait_s)):
            return
        if wait_s > TOLD_AFTER_S:
            tell(f"waiting: another process writes {_shown(part)}; at most {formatting.duration(wait_s)}")
            if self._is_taken(lock, number, wait_s - TOLD_AFTER_S):
                return
        raise StoreBusy(
            f"{_shown(part)} is written by {self._holder(number)} (waited {wait_s:g} s); run it again later"
        )

    def _is_taken(self, lock: str, number: int, wait_s: float) -> bool:
        self.ask("select set_config('lock_timeout', %s, false)", [f"{max(1, round(1000 * wait_s))}ms"])
        psycopg = _psycopg()
        try:
            self._connected().execute(f"select {lock}(%s)", [number])
        except psycopg.errors.LockNotAvailable:
            return False
        except psycopg.OperationalError as error:
            raise ServerAway(_line(error)) from None
        return True

    def _holder(self, number: int) -> str:
        found = self.ask(
            "select a.pid, coalesce(a.client_hostname, host(a.client_addr), 'this machine') from pg_locks l "
            "join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.granted and l.objsubid = 1 "
            "and (l.classid::bigint << 32) + l.objid::bigint = %s and a.pid <> pg_backend_pid()",
            [number],
        )
        return f"another process (server process {found[0][0]}, from {found[0][1]})" if found else "another process"

    def _connected(self) -> Any:  # noqa: ANN401  (an extra's own type)
        psycopg = _psycopg()
        if self._session is None or self._session.closed:
            try:
                defaults = {"connect_timeout": CONNECT_TIMEOUT_S} | ALIVE
                wanted = defaults | psycopg.conninfo.conninfo_to_dict(self._conninfo)
                self._session = psycopg.connect(**wanted, autocommit=True)
            except psycopg.Error as error:
                if VAIN.search(str(error)):
                    raise StoreError(f"PostgreSQL refuses: {_line(error)}; see docs/team.md") from None
                raise ServerAway(_line(error)) from None
        return self._session


class Patience:
    """Waiting for a server that does not answer, for `wait_s` at most; who waits for long is told once."""

    def __init__(self, clock: SystemClock, wait_s: float, tell: Tell) -> None:
        self._clock, self._wait_s, self._tell = clock, wait_s, tell
        self._began_s, self._is_told = clock.monotonic(), False

    def on(self, away: Exception) -> None:
        """Pause before another try; `StoreBusy` when one has waited long enough."""
        waited_s = self._clock.monotonic() - self._began_s
        if waited_s >= self._wait_s:
            raise StoreBusy(
                f"PostgreSQL does not answer (waited {self._wait_s:g} s): {away}; once it does, run the command again"
            ) from None
        if waited_s >= TOLD_AFTER_S and not self._is_told:
            self._tell(f"waiting: PostgreSQL does not answer; at most {formatting.duration(self._wait_s)}")
            self._is_told = True
        self._clock.pause(PAUSE_S)


def _psycopg() -> Any:  # noqa: ANN401  (an extra's own module)
    try:
        import psycopg  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ConfigError(f"a store in PostgreSQL needs the extra `team`: {INSTALL}") from None
    return psycopg


def _number(part: str) -> int:
    """The number that a part has as a lock: of 63 bits, so that it reads the same everywhere."""
    return int.from_bytes(hashlib.sha256(f"harness store: {part}".encode()).digest()[:8]) >> 1


def _shown(part: str) -> str:
    return part if part == WHOLE else f"run {part}" if ":" in part else f"the table {part}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

"""PostgreSQL, where several machines keep together what one of them keeps in a file; through psycopg, an extra.

An address holds no password: libpq reads one from PGPASSWORD, from PGPASSFILE or from a service file. No wait is
without an end, whether the server is stopped, cut off, or held by somebody else.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError
from harness.ground.conninfo import checked
from harness.ground.redaction import HIDDEN

if TYPE_CHECKING:
    from typing import Literal

    from psycopg import Connection

    Kind = Literal["gone", "value", "busy", "full", "other"]

SCHEME = "postgres:"
URLS = ("postgres://", "postgresql://")
SECRETS = {"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
SHOWN = ("service", "host", "port", "user", "dbname")
LOCK_WAIT_S = 60
ANSWER_WAIT_S = LOCK_WAIT_S + 30.0
# States of SQL: the server ends the connection, or has become one that nobody may write on.
GONE = {"57P01", "57P02", "57P03", "57P05", "25P03", "25006", "08000", "08003", "08006"}
# The server is starting, stopping, or full of connections.
PASSING = ("the database system is", "terminating connection", "too many", "connection slots")
KINDS: dict[str, Kind] = {"55P03": "busy", "57014": "busy", "40P01": "busy", "53100": "full", "53200": "full"}
# What libpq does when the other machine is silent; an address may say otherwise.
PATIENCE = {
    "connect_timeout": "10",
    "fallback_application_name": "harness",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# The same for the server, so that what a machine held that went away is free again; and what holds a lock must go on.
SESSION = f"""
set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3;
set lock_timeout = '{LOCK_WAIT_S}s'; set idle_in_transaction_session_timeout = '{LOCK_WAIT_S // 2}s';
set default_transaction_isolation = 'read committed'; set default_transaction_read_only = off;
select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'
"""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is, as libpq reads it, and as it may be shown."""

    conninfo: str
    name: str


def is_address(text: str) -> bool:
    """Whether a setting means a PostgreSQL database rather than a file."""
    return text.startswith((SCHEME, *URLS))


def address(text: str, what: str) -> Address:
    """The database that a setting names: `postgres:` and a connection string of libpq's, or a URL.

    `ConfigError`, which shows nothing of it, when it cannot be read, when it holds a password, or when psycopg is
    not installed. `what` names the setting.
    """
    expected = "expected postgres:host=HOST dbname=NAME user=NAME, or postgresql://USER@HOST/NAME"
    if not is_address(text):
        raise ConfigError(f"{what} names no PostgreSQL database; {expected}")
    conninfo = checked(text if text.startswith(URLS) else text.removeprefix(SCHEME), what)
    driver = _driver(what)
    try:
        parts = driver.conninfo.conninfo_to_dict(conninfo)
    except driver.Error:  # its message could show a part of a password
        raise ConfigError(f"{what} cannot be read; {expected}") from None
    if secret := SECRETS & parts.keys():
        raise ConfigError(
            f"{what} holds a secret ({min(secret)}), and settings are read by many; take it out, and give it in "
            "PGPASSWORD, PGPASSFILE or a service file"
        )
    shown = " ".join(f"{name}={parts[name]}" for name in SHOWN if name in parts)
    return Address(driver.conninfo.make_conninfo(conninfo, **PATIENCE | parts), SCHEME + shown)


def connect(where: Address) -> Connection[Any]:
    """An open connection that commits every statement by itself; raises `psycopg.Error`."""
    driver = _driver(where.name)
    connection: Connection[Any] = connecting().connect(where.conninfo, autocommit=True, client_encoding="utf8")
    try:
        connection.execute(SESSION)
    except driver.Error:
        connection.close()
        raise
    return connection


def reason(problem: Exception) -> str:
    """What a server or libpq says, in one line and without the password that it was given."""
    line = " ".join(str(problem).split())
    secret = getattr(getattr(problem, "pgconn", None), "password", None)
    return line.replace(secret.decode(errors="replace"), HIDDEN) if secret else line


def errors() -> type[Exception]:
    """What psycopg raises."""
    error: type[Exception] = _driver("").Error
    return error


def kind(problem: Exception, connection: Connection[Any] | None) -> Kind:
    """What has gone wrong, where the connection is None with making one.

    `gone`: there is no connection any more; `value`: no column holds it; `busy`: a lock was not let go in time;
    `full`: the server's disk takes no more.
    """
    driver, state = _driver(""), getattr(problem, "sqlstate", None) or ""
    if isinstance(problem, (driver.DataError, driver.IntegrityError, driver.errors.PipelineAborted)):
        return "value"
    if isinstance(problem, driver.ProgrammingError) and not state:
        return "value"  # psycopg's own refusal
    if connection is None:  # there is no state yet; that it is on its way is said in words
        line = str(problem)
        is_refused = ("FATAL" in line or "password" in line) and not any(words in line for words in PASSING)
        return "other" if is_refused else "gone"
    if connection.closed or _is_of_the_connection(problem) or state in GONE:
        return "gone"
    return KINDS.get(state, "other")


def _is_of_the_connection(problem: Exception) -> bool:
    """Whether it is none of the server's answers: those have a state."""
    driver = _driver("")
    is_ours = isinstance(problem, driver.OperationalError) and not getattr(problem, "sqlstate", None)
    return is_ours and not isinstance(problem, driver.errors.PipelineAborted)


@cache
def connecting() -> type[Connection[Any]]:
    """Connections that are given up when the server does not answer: it may have been stopped, or be cut off."""
    driver = _driver("")

    def wait(self: Any, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ANN401
        try:
            return driver.Connection.wait(self, gen, interval, ANSWER_WAIT_S if timeout is None else timeout)
        except driver.OperationalError as problem:
            if _is_of_the_connection(problem):
                self.close()  # or whoever cleans up would wait as long once more
            raise

    return type("Bounded", (driver.Connection,), {"wait": wait})


def _driver(what: str) -> Any:  # noqa: ANN401  (a module that need not be installed)
    try:
        import psycopg  # noqa: PLC0415  (an extra, and slow to load)
    except ImportError:
        raise ConfigError(f"{what} needs psycopg, which is not installed: pip install 'prompt-harness[team]'") from None
    logging.getLogger("psycopg").addHandler(logging.NullHandler())  # or a lost connection would be printed
    return psycopg

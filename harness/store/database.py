"""What the store asks of the database behind it: a file or a lake, read and written for a moment at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import duckdb

from harness.errors import StoreError
from harness.store import statements

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from duckdb import DuckDBPyConnection

    from harness.store.erasing import Erasure

T = TypeVar("T")
Work = Callable[["DuckDBPyConnection"], T]
"""What is done in one transaction. It may be done again from the start, so it changes nothing but the database."""
Tell = Callable[[str], None]
VIEW = """
    select view_name from duckdb_views()
    where database_name = coalesce(?, current_database()) and view_name in (select unnest(?))
"""
Beside = Mapping[str, "Database"]


@dataclass(slots=True)
class Waits:
    """How long one waits for others, in seconds: to read, and to write."""

    reader_s: float
    writer_s: float


class Database(Protocol):
    """Where the tables are kept. `tell` hears who is waited for."""

    tell: Tell

    @property
    def name(self) -> str:
        """What a user calls it: the value of `--db`; it holds no password."""
        ...

    def exists(self) -> bool:
        """Whether somebody has made it."""
        ...

    def reading(self) -> AbstractContextManager[DuckDBPyConnection]:
        """A connection that only reads and reaches nothing else; all it reads is of one moment."""
        ...

    def asking(self, sql: str) -> AbstractContextManager[DuckDBPyConnection]:
        """The same, for a statement of somebody else's; `ConfigError` where it would reach other things."""
        ...

    def copying(self) -> AbstractContextManager[DuckDBPyConnection]:
        """The same, and free to write other files: for SQL of our own alone."""
        ...

    def write(self, work: Work[T], *parts: str, beside: Beside | None = None) -> T:
        """Do `work` in a transaction: everything it has written is there afterwards, or nothing and it is raised.

        `parts` say what it changes where that is not all the store, the larger part first: who changes other parts
        may do so at the same time, where the database can. Those `beside` can be read meanwhile, under their names.
        """
        ...

    def attach(self, connection: DuckDBPyConnection, name: str) -> None:
        """Let another connection read it, under a name."""
        ...

    def erase(self, erasure: Erasure, *, dry_run: bool = False) -> Counter[str]:
        """How many items, predictions and other texts went; nothing that the database keeps holds a byte of them."""
        ...

    def snapshot(self) -> int | None:
        """The number of the state that is read now; None where the database keeps only the newest."""
        ...

    def pin(self) -> None:
        """Read one state from now on, where the database keeps several."""
        ...

    def close(self) -> None:
        """Let go of whatever is held open."""
        ...


def check_tables(connection: DuckDBPyConnection, catalogue: str | None, store: str) -> None:
    """Raise `StoreError` where a view of a stranger's store has the name of a table: a view may read files.

    `catalogue` is what the connection calls the store; without it, it is the one that it has open.
    """
    view = connection.execute(VIEW, [catalogue, list(statements.KEYS)]).fetchone()
    if view is not None:
        raise StoreError(f"{store}: its {view[0]!r} is a view, where a store has a table; it is not read")


@contextmanager
def attached(connection: DuckDBPyConnection, beside: Beside | None) -> Iterator[None]:
    """Within it the connection can read other databases, under their names.

    Raises `StoreError` where one is not to be trusted (see `check_tables`).
    """
    names = []
    try:
        for name, database in (beside or {}).items():
            database.attach(connection, name)
            names.append(name)
            check_tables(connection, name, database.name)
        yield
    finally:
        for name in names:
            with suppress(duckdb.Error):  # a connection that broke has nothing attached
                connection.execute(f"detach {name}")

"""A transaction that is whole or not there. DuckDB's COMMIT raises nothing after a failed INSERT."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection

T = TypeVar("T")


def done(connection: DuckDBPyConnection, work: Callable[[DuckDBPyConnection], T]) -> T:
    """The result of `work`, done between BEGIN and COMMIT; after an error nothing of it stays, and it is raised."""
    connection.execute("begin")
    try:
        result = work(connection)
        connection.execute("commit")
    except BaseException:
        give_up(connection)
        raise
    return result


def give_up(connection: DuckDBPyConnection) -> None:
    """Leave a transaction, if one is open still. A connection that is closed within one may end the process."""
    with suppress(duckdb.Error):  # it failed together with its transaction
        connection.execute("rollback")

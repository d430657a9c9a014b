"""A transaction that is whole or not there. DuckDB's COMMIT raises nothing after a failed INSERT."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from harness.store.database import T, Work


def done(connection: DuckDBPyConnection, work: Work[T]) -> T:
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

"""A query of people's own: with a time limit, and Ctrl-C ends it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from harness.errors import ConfigError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, Statement

    Table = tuple[list[str], list[tuple[object, ...]]]

LONGEST_QUERY_S = 600.0  # what a query of people's own may take at most
QUERY_S = 60.0


def interruptible(connection: DuckDBPyConnection, statement: Statement, limit: int, timeout_s: float) -> Table:
    """The names and the first rows of a statement; `ConfigError` when it takes longer than `timeout_s`.

    The database answers in a thread of its own, so that this one hears a signal meanwhile and can interrupt it.
    """

    def answer() -> Table:
        result = connection.execute(statement)
        return [column[0] for column in result.description or ()], result.fetchmany(limit)

    with ThreadPoolExecutor(1, "query") as thread:
        answering = thread.submit(answer)
        try:
            return answering.result(timeout_s)
        except TimeoutError:
            raise ConfigError(
                f"SQL: no answer in {timeout_s:g} s, and nobody can write meanwhile; "
                "give --timeout more seconds, or ask for less"
            ) from None
        finally:
            if not answering.done():
                connection.interrupt()

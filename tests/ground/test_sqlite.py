import multiprocessing
import sqlite3
from contextlib import closing

import pytest

from harness.ground import sqlite
from tests.processes import HANGS_S

MIGRATIONS = (("create table rows (process integer, number integer)",),)
PROCESSES, ROWS = 4, 30


def write_rows(path, start, process):
    """Open, write one row and close again, as often as there are rows: the file is new and closed all the time."""
    start.wait()
    for number in range(ROWS):
        with closing(sqlite.connect(path, MIGRATIONS, "normal")) as connection, sqlite.transaction(connection):
            connection.execute("insert into rows values (?, ?)", [process, number])


def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path):
    """The switch to WAL mode and the recovery after the last close are waited for, round after round."""
    spawning = multiprocessing.get_context("fork")
    for turn in range(5):
        path, start = tmp_path / f"{turn}.sqlite", spawning.Event()
        writers = [spawning.Process(target=write_rows, args=(path, start, i)) for i in range(PROCESSES)]
        for writer in writers:
            writer.start()
        start.set()
        for writer in writers:
            writer.join(HANGS_S)
        assert [writer.exitcode for writer in writers] == [0] * PROCESSES
        with closing(sqlite.connect(path, MIGRATIONS, "normal")) as connection:
            assert connection.execute("select count(*) from rows").fetchone() == (PROCESSES * ROWS,)


def test_a_file_that_is_no_database_is_an_error_at_once(tmp_path):
    """Only a lock is tried again; damage is told at once."""
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        sqlite.connect(path, MIGRATIONS, "full")


def test_migrations_are_applied_once_and_in_order(tmp_path):
    """An older file gets what it lacks and keeps its rows; a newer one is refused."""
    path = tmp_path / "x.sqlite"
    newer = (*MIGRATIONS, ("alter table rows add column note text", "update rows set note = 'old'"))
    with closing(sqlite.connect(path, MIGRATIONS, "normal")) as connection:
        connection.execute("insert into rows values (1, 2)")
    for _ in range(2):
        with closing(sqlite.connect(path, newer, "normal")) as connection:
            assert connection.execute("select * from rows").fetchall() == [(1, 2, "old")]
    with pytest.raises(sqlite3.DatabaseError, match="version 2 is newer"):
        sqlite.connect(path, MIGRATIONS, "normal")


def insert_two(connection, *tables):
    for table in tables:
        connection.execute(f"insert into {table} values (1, 2)")


def test_a_transaction_is_all_or_nothing(tmp_path):
    """An error in the middle leaves no row behind."""
    with closing(sqlite.connect(tmp_path / "x.sqlite", MIGRATIONS, "full")) as connection:
        with pytest.raises(sqlite3.OperationalError, match="no such table"), sqlite.transaction(connection):
            insert_two(connection, "rows", "other")
        assert connection.execute("select count(*) from rows").fetchone() == (0,)

import multiprocessing
import sqlite3
from contextlib import closing

import pytest

from harness import wal

SCHEMA = "create table if not exists rows (process integer, number integer)"
PROCESSES, ROWS = 4, 30


def write_rows(path, start, process):
    """Open, write one row and close again, as often as there are rows: the file is new and closed all the time."""
    start.wait()
    for number in range(ROWS):
        with closing(wal.connect(path, SCHEMA, "normal")) as connection, connection:
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
            writer.join(60)
        assert [writer.exitcode for writer in writers] == [0] * PROCESSES
        with closing(wal.connect(path, SCHEMA, "normal")) as connection:
            assert connection.execute("select count(*) from rows").fetchone() == (PROCESSES * ROWS,)


def test_a_file_that_is_no_database_is_an_error_at_once(tmp_path):
    """Only a lock is tried again; damage is told at once."""
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        wal.connect(path, SCHEMA, "full")

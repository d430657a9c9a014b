"""The PostgreSQL that the other tests stand on."""

import psycopg
import pytest


@pytest.mark.quick
def test_what_was_committed_survives_a_crash_of_the_server(postgres):
    """Rows that were committed are there after the server was ended as in a crash and started again."""
    conninfo = postgres.database()
    with psycopg.connect(conninfo) as connection:
        connection.execute("create table kept as select 1 as n")
    postgres.restart()
    with psycopg.connect(conninfo) as connection:
        assert connection.execute("select n from kept").fetchall() == [(1,)]

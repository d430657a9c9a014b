import os
import signal
import threading
from contextlib import closing

import duckdb
import pytest

from harness.errors import ConfigError
from harness.store.querying import interruptible

ENDLESS = "select count(*) from range(1000000000000) t(i) where i % 7 = hash(i) % 11"


def ask(sql, timeout_s):
    with closing(duckdb.connect()) as connection:
        try:
            return interruptible(connection, connection.extract_statements(sql)[0], 10, timeout_s)
        finally:
            assert connection.execute("select 1").fetchall() == [(1,)]  # it is free again


def test_a_query_has_a_time_limit():
    """What takes too long is interrupted and told in one line; what does not is answered."""
    with pytest.raises(ConfigError, match="no answer in 0.2 s.*--timeout"):
        ask(ENDLESS, 0.2)
    assert ask("select 1 as one union all select 2 order by 1", 60) == (["one"], [(1,), (2,)])


def test_ctrl_c_ends_a_query():
    """At once, though the database is busy; whoever waits to write can go on."""
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        ask(ENDLESS, 600)

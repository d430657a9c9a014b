"""What the tests of a team's store and ledger stand on: a real PostgreSQL, in the environment of `make team`."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.bench.conftest import table
from tests.store.contract import dataset, run
from tests.team import server

__all__ = ["dataset", "run", "table"]

HERE = Path(__file__).parent
EXTRA = ("psycopg", "duckdb_extension_ducklake", "duckdb_extension_postgres_scanner")
MISSING = [name for name in EXTRA if find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if MISSING else []  # elsewhere than in the environment of `make team`


def pytest_report_header():
    """Why none of these tests is there, if so."""
    return f"tests/team: left out, {MISSING[0]} is not installed here: make team" if MISSING else None


def pytest_collection_modifyitems(items):
    """All tests of this folder have the mark `team`."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.team)


@pytest.fixture
def other_duckdb():
    """The Python of the environment that has the lock's duckdb, beside the one of these tests."""
    python = HERE.parents[1] / ".venv" / "bin" / "python"
    if not python.exists():
        pytest.skip("there is no .venv with the lock's packages: make setup")
    return python


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server of the tests' own (see `server.PostgresServer`): conninfo, database(), restart()."""
    if MISSING:
        pytest.skip(f"the extra `team` is not installed here ({MISSING[0]}): make team")
    if reason := server.why_not():
        pytest.skip(reason)
    running = server.PostgresServer()
    yield running
    running.close()

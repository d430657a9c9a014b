"""Addresses of databases: what is refused before anything is connected, and what is not loaded before it is needed."""

import subprocess
import sys

import pytest

from harness.errors import ConfigError
from harness.ground import postgres
from harness.models.ledger import Ledger, place_of


@pytest.mark.parametrize(
    "text", ["postgres:dbname=x password=not-shown", "postgresql://user:not-shown@h/x", "mysql://user:not-shown@h/x"]
)
def test_what_holds_a_password_or_names_no_database_is_refused_and_not_shown(text):
    """One line, also where the driver is not installed."""
    with pytest.raises(ConfigError) as refused:
        Ledger(text)
    assert "not-shown" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_driver_that_is_missing_is_named_with_what_installs_it(monkeypatch):
    """Exit code 2."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"needs psycopg.*pip install 'prompt-harness\[team\]'") as refused:
        Ledger("postgres:dbname=x")
    assert refused.value.exit_code == 2


def test_a_place_is_a_file_unless_it_names_a_database(tmp_path):
    """`postgres:` and both schemes of URLs are databases, all else are paths."""
    assert place_of(str(tmp_path / "l.sqlite")) == tmp_path / "l.sqlite"
    for text in ("postgres:dbname=x", "postgres://h/x", "postgresql://h/x"):
        assert place_of(text) == text
        assert postgres.is_address(text)


def test_the_ledger_in_a_file_loads_no_driver():
    """Whoever has a file pays nothing for servers."""
    program = "import sys, harness.models.ledger; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

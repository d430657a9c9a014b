"""A ledger copied from file to file, and what is no ledger."""

import sqlite3

import pytest

from harness.errors import ConfigError, StoreError
from harness.models.ledger import Ledger, place_of
from tests.models.ledger.copies import CopyContract, assert_goes_on, copied, fill, kill_in_the_middle, lengthen


class TestFromFileToFile(CopyContract):
    @pytest.fixture
    def source(self, tmp_path):
        return tmp_path / "from.sqlite"

    @pytest.fixture
    def target(self, tmp_path):
        return tmp_path / "to.sqlite"


def test_the_copy_is_its_owners_alone(tmp_path):
    """As every file that holds people's texts."""
    fill(tmp_path / "a.sqlite")
    copied(tmp_path / "a.sqlite", tmp_path / "new" / "b.sqlite")
    assert {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*.sqlite*")} == {0}


def test_what_is_no_ledger_is_told_and_left_alone(tmp_path):
    """A missing file, one of another kind, another SQLite file, the same twice: one line, and nothing is made."""
    good, junk, other, missing = (tmp_path / name for name in ("good", "junk", "other", "missing"))
    with Ledger(good):
        pass
    junk.write_bytes(b"junk" * 1000)
    with sqlite3.connect(other) as connection:
        connection.execute("create table t (x)")
    connection.close()
    before = {path.name: path.read_bytes() for path in (junk, other)}
    wrong = {missing: "there is no ledger", junk: "is no ledger", other: "a SQLite file, and no ledger"}
    for path, reason in wrong.items():
        with pytest.raises((ConfigError, StoreError), match=reason):
            copied(path, good)
    with pytest.raises(StoreError, match="a SQLite file, and no ledger"):
        copied(good, other)
    with pytest.raises(ConfigError, match="the same ledger was named twice"):
        copied(good, tmp_path / "." / "good")
    assert {path.name: path.read_bytes() for path in (junk, other)} == before
    assert not missing.exists()


def test_the_address_of_something_else_is_not_taken_for_a_path():
    """A password in it is not shown."""
    with pytest.raises(ConfigError) as refused:
        place_of("mysql://user:not-shown@127.0.0.1/x")
    assert "not-shown" not in str(refused.value)


@pytest.mark.soak
def test_a_copy_that_was_killed_goes_on(tmp_path):
    """By kill -9, between two blocks."""
    source, target = tmp_path / "a.sqlite", tmp_path / "new" / "b.sqlite"
    fill(source)
    lengthen(source)
    kill_in_the_middle(source, target)
    assert_goes_on(source, target)

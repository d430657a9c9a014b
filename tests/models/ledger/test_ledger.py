"""The ledger in a file: durable before used, newest wins, failures never served."""

import pytest

from harness.errors import StoreError
from harness.models.ledger import Ledger
from tests.models.ledger.contract import REPLY, LedgerContract, put, request


class TestLedgerInAFile(LedgerContract):
    @pytest.fixture
    def place(self, tmp_path):
        return tmp_path / "l.sqlite"


def test_a_file_that_is_no_ledger_is_told(tmp_path):
    """One line with the way out."""
    (tmp_path / "l.sqlite").write_bytes(b"junk" * 1000)
    with pytest.raises(StoreError, match=r"l.sqlite cannot be used as the ledger"):
        Ledger(tmp_path / "l.sqlite")


def test_the_ledger_is_its_owners_alone(tmp_path):
    """The file and those beside it hold people's texts."""
    with Ledger(tmp_path / "l.sqlite") as ledger:
        put(ledger, request(), REPLY)
        assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}

"""The ledger on a server: all that holds of one in a file, and what only a server can do to it."""

import pytest

from tests.models.ledger.contract import LedgerContract


class TestLedgerOnAServer(LedgerContract):
    @pytest.fixture
    def place(self, postgres):
        return f"postgres:{postgres.database()}"

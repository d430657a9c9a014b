"""The ledger in a file: durable before used, newest wins, failures never served."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from harness.errors import StoreError, StoreGone
from harness.ground.clock import SystemClock
from harness.models.ledger import Ledger
from tests.models.ledger.contract import AT, REPLY, LedgerContract, entry, put, request


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


def test_a_ledger_that_was_replaced_takes_no_claim_and_keeps_what_was_paid(tmp_path):
    """Nothing more is asked; the answers that are under way are written to its log, which is read with it."""
    place, away = tmp_path / "l.sqlite", tmp_path / "away.sqlite"

    async def go(ledger):
        assert await ledger.claim("before", AT)
        place.rename(away)
        for refused in (ledger.claim("after", AT), ledger.reserve("a", "after", 1, 10)):
            with pytest.raises(StoreGone, match="moved or removed while it was in use"):
                await refused
        await ledger.put(entry(request()), REPLY, 5)

    with Ledger(place) as ledger:
        asyncio.run(go(ledger))
    away.rename(place)
    with Ledger(place) as ledger:
        assert ledger.get(entry(request()).key) == replace(REPLY, cached=True)


def test_a_ledger_that_was_closed_holds_nothing(tmp_path):
    """Also in a process that lives on, and when its end could not be written down."""
    path = tmp_path / "l.sqlite"
    with Ledger(path) as ledger:
        assert asyncio.run(ledger.claim("one", AT))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("insert into owners values (?, ?)", [ledger._owner, SystemClock().now().timestamp()])
    with Ledger(path) as ledger:
        assert asyncio.run(ledger.claim("one", AT))

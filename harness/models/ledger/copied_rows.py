"""The rows that a copy of a ledger reads and writes: calls, debts, batches, and who is still there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.models.ledger import bookings
from harness.models.ledger.fingerprints import Fingerprint, digest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from harness.models.ledger.tables import Tables

    Row = Sequence[Any]

DEBTS = 5000  # in memory at once
COLUMNS = "key, request, response, usage, attempts, prices_as_of, servable, at, account, billed_nano"
SERVABLE, ACCOUNT, BILLED = 6, 8, 9
AMONG = "id in (select cast(value as bigint) from json_each(?))"
CALLS = f"select {COLUMNS}, id from calls where {AMONG} order by id"
CALL = f"insert into calls ({COLUMNS}) values "
PLACES = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
OWED = f"select id, account, key, nano, owner from reservations where id > ? order by id limit {DEBTS}"
OWED_BY_ID = f"select account, key, nano from reservations where {AMONG} order by id"
OWNERS = "select owner from owners"
BATCHES = "select mark, account, batch_id, keys, nano, owner, at, is_open from batches order by id"
NOTED = "select 1 from batches where mark = ?"
# A batch that has ended in one of them has ended: its answers are among the calls.
BATCH = """
insert into batches (mark, account, batch_id, keys, nano, owner, at, is_open) values (?, ?, ?, ?, ?, ?, ?, ?)
on conflict (mark) do update set batch_id = coalesce(batches.batch_id, excluded.batch_id),
    is_open = (batches.is_open and excluded.is_open)
returning is_open
"""
DRIFT = """
select a.account, a.billed_nano - cast(coalesce(sum(c.billed_nano), 0) as bigint)
from accounts a left join calls c on c.account = a.account group by a.account, a.billed_nano
"""


class State(NamedTuple):
    """What is read of a source before its calls: who uses it, and its batches but those that one is submitting."""

    living: frozenset[str]
    batches: list[Row]


def state(tables: Tables) -> State:
    """What stands beside the calls. A batch that ends meanwhile is open in the copy, and its answers are waited for."""
    owners = living(tables)
    rows = [(*row[:-1], bool(row[-1])) for row in tables.execute(BATCHES).fetchall()]
    return State(owners, [row for row in rows if row[2] is not None or not row[-1] or row[5] not in owners])


def living(tables: Tables) -> frozenset[str]:
    """Who uses a ledger just now."""
    return frozenset(owner for (owner,) in tables.execute(OWNERS).fetchall() if tables.is_alive(owner))


def drift(tables: Tables) -> dict[str, int]:
    """By how much the bill of an account is not the sum of its calls', which is by nothing."""
    return {account: nano for account, nano in tables.execute(DRIFT).fetchall() if nano}


def calls_after(tables: Tables, last: int) -> Iterator[list[Fingerprint]]:
    """The fingerprints of the calls after one, a block at a time."""
    while block := tables.fingerprints(last):
        yield block
        last = block[-1].id


def debts(tables: Tables, in_use: Collection[str]) -> Iterator[list[Fingerprint]]:
    """What stands reserved for good, a block at a time: not what a living process has under way."""
    last = 0
    while rows := tables.read(lambda one, after=last: one.execute(OWED, [after]).fetchall()):  # type: ignore[misc]
        yield [
            Fingerprint(number, key, servable=False, digest=digest_of((account, key, nano)), outline=b"")
            for number, account, key, nano, owner in rows
            if owner not in in_use
        ]
        last = rows[-1][0]


def by_id(tables: Tables, statement: str, ids: Collection[int]) -> list[Row]:
    """Rows by their ids, in order."""
    rows: list[Row] = tables.read(lambda one: one.execute(statement, [json.dumps(list(ids))]).fetchall())
    return rows


def write_calls(rows: Sequence[Row], bills: Mapping[str, int], tables: Tables) -> None:
    """Enter calls, and what they were billed, together."""
    tables.execute(CALL + ", ".join([PLACES] * len(rows)), [value for row in rows for value in row])
    for account, nano in bills.items():
        tables.execute(bookings.ADD, [account, nano])


def write_debts(rows: Sequence[Row], tables: Tables) -> None:
    """Enter what calls may have cost."""
    for account, key, nano in rows:
        bookings.owe(tables, account, key, nano)


def write_batch(row: Row, tables: Tables) -> tuple[bool, bool]:
    """Enter a batch, or that it has ended; whether it is new there, and whether it is under way."""
    is_new = tables.execute(NOTED, [row[0]]).fetchone() is None
    return is_new, bool(tables.execute(BATCH, row).fetchone()[0])

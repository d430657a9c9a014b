"""Batches at a provider: noted before they are submitted, so that a killed process loses none of them.

A row is written before the batch is sent, with a mark of our own and the keys of its requests. Its
provider's id follows when it is known. While it is open its keys belong to it, and its worst
case counts against the account's budget; recording its results ends both, once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BudgetExceeded
from harness.models.ledger import bookings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.ledger.tables import Tables

OPEN = "select mark, account, batch_id, keys, nano, owner, at from batches where account = ? and is_open order by id"


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that is under way. `batch_id` is None until the provider has told its name.

    `at_s` is when it was noted, in seconds since 1970; `is_orphan` says that the process that was
    about to submit it is gone.
    """

    mark: str
    account: str
    batch_id: str | None
    keys: tuple[str, ...]
    nano: int
    at_s: float
    is_orphan: bool


def open_ones(tables: Tables, account: str, owner: str) -> list[Batch]:
    """The open batches of an account, oldest first."""
    return [
        Batch(mark, of, batch_id, tuple(json.loads(keys)), nano, at, by == owner or not tables.is_alive(by))
        for mark, of, batch_id, keys, nano, by, at in tables.execute(OPEN, [account]).fetchall()
    ]


def note(tables: Tables, fresh: Batch, owner: str, worst: Sequence[tuple[str, int]], budget_nano: int | None) -> Batch:
    """The batch as it may be submitted: without the requests of other open batches, and within the budget.

    `worst` are the requests that are wanted, with the worst case of each. `BudgetExceeded` when the
    budget holds not one of them.
    """
    tables.check_place()
    taken = {key for batch in open_ones(tables, fresh.account, owner) for key in batch.keys}
    free = [(key, nano) for key, nano in worst if key not in taken]
    known = bookings.spent(tables, fresh.account)
    keys, total = [], 0
    for key, nano in free:
        if budget_nano is not None and known.total + total + nano > budget_nano:
            break
        keys.append(key)
        total += nano
    if free and not keys:
        raise BudgetExceeded(bookings.refusal(known, free[0][1], budget_nano or 0), may_fit_later=bool(taken))
    noted = Batch(fresh.mark, fresh.account, None, tuple(keys), total, fresh.at_s, is_orphan=False)
    if keys:
        row = (noted.mark, noted.account, json.dumps(noted.keys), total, owner, noted.at_s)
        tables.execute("insert into batches (mark, account, keys, nano, owner, at) values (?, ?, ?, ?, ?, ?)", row)
    return noted


def name(tables: Tables, mark: str, batch_id: str) -> None:
    """Note what the provider calls a batch."""
    tables.execute("update batches set batch_id = ? where mark = ?", [batch_id, mark])


def drop(tables: Tables, mark: str) -> None:
    """Forget a batch that never reached the provider."""
    tables.execute("delete from batches where mark = ? and batch_id is null", [mark])


def finish(
    tables: Tables, mark: str, rows: Sequence[tuple[object, ...]], owed: Sequence[tuple[str, int]], owner: str
) -> bool:
    """Record a batch's calls and end it; False when another process was faster, and nothing is recorded.

    `owed` are the keys whose bill is unknown, with the worst case of each.
    """
    ended = tables.execute(
        "update batches set is_open = false where mark = ? and is_open returning account", [mark]
    ).fetchall()
    if not ended:
        return False
    for row in rows:
        bookings.record(tables, row, owner)
    for key, nano in owed:
        bookings.owe(tables, ended[0][0], key, nano)
    return True

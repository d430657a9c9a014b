"""Who asks what, and what it may cost: claims, reservations and calls, inside a transaction.

A request is claimed before it is sent, so that two processes do not pay for the same answer. Under
a budget its worst case is reserved. What may have been billed although no reply came stays
reserved: a budget errs on the safe side.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BudgetExceeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.ledger.tables import Tables

INSERT = """
insert into calls (key, request, response, usage, attempts, prices_as_of, servable, at, account, billed_nano)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
CLAIM = """
insert into claims values (?, ?, ?) on conflict (key) do update set owner = excluded.owner, at = excluded.at
"""
RESERVE = "insert into reservations (account, key, nano, owner) values (?, ?, ?, ?) returning id"
# A running total: summing the calls anew for every reservation would take ever longer.
ADD = """
insert into accounts values (?, ?)
on conflict (account) do update set billed_nano = accounts.billed_nano + excluded.billed_nano
"""
BILLED_FOR = """
select cast(coalesce(sum(billed_nano), 0) as bigint) from calls
where servable and key in (select value from json_each(?)) and account = ?
"""
BILLED = "select billed_nano from accounts where account = ?"
RESERVED = "select owner, count(*), cast(sum(nano) as bigint) from reservations where account = ? group by owner"
IN_BATCHES = "select cast(coalesce(sum(nano), 0) as bigint) from batches where account = ? and is_open"


@dataclass(frozen=True, slots=True)
class Spent:
    """What an account has cost, in nano-dollars.

    `in_flight` is reserved by calls under way, `unknown` by `n_unknown` calls that may have been
    billed: no reply came, or one without a usage that can be believed.
    """

    billed: int = 0
    in_flight: int = 0
    unknown: int = 0
    n_unknown: int = 0

    @property
    def total(self) -> int:
        """The most that the account can have cost, calls under way included."""
        return self.billed + self.in_flight + self.unknown


def record(tables: Tables, row: tuple[object, ...], owner: str) -> None:
    """Insert a call (a row as in INSERT); its claim ends, and its reservation, unless the bill is unknown."""
    key, (account, billed_nano) = row[0], row[-2:]
    tables.execute(INSERT, row)
    if billed_nano:
        tables.execute(ADD, [account, billed_nano])
    disclaim(tables, str(key), owner)
    settled = "update reservations set owner = null" if billed_nano is None else "delete from reservations"
    tables.execute(f"{settled} where key = ? and owner = ?", [key, owner])


def claim(tables: Tables, key: str, owner: str, at_s: float) -> bool:
    """True when the request is the owner's to ask; False while another living process is asking it."""
    tables.check_place()
    found = tables.execute("select owner from claims where key = ?", [key]).fetchone()
    if found and found[0] != owner and tables.is_alive(found[0]):
        return False
    tables.execute(CLAIM, [key, owner, at_s])
    return True


def disclaim(tables: Tables, key: str, owner: str) -> None:
    """End the owner's claim of a request, if there is one."""
    tables.execute("delete from claims where key = ? and owner = ?", [key, owner])


def reserve(tables: Tables, row: tuple[str, str, int, str], budget_nano: int) -> int:
    """The id of a reservation (account, key, nano, owner); `BudgetExceeded` when the budget does not hold it."""
    tables.check_place()
    account, _, nano, _ = row
    known = spent(tables, account)
    if known.total + nano > budget_nano:
        raise BudgetExceeded(
            refusal(known, nano, budget_nano),
            may_fit_later=known.in_flight > 0 and known.billed + known.unknown + nano <= budget_nano,
        )
    ((number,),) = tables.execute(RESERVE, row).fetchall()
    return int(number)


def owe(tables: Tables, account: str, key: str, nano: int) -> None:
    """Note what a call that nobody reserved for may have cost, for good."""
    tables.execute("insert into reservations (account, key, nano) values (?, ?, ?)", [account, key, nano])


def spent(tables: Tables, account: str) -> Spent:
    """What an account has cost so far, by every process."""
    # All three are asked before the first is read: on a server that is one way there and back.
    asked = [tables.execute(statement, [account]) for statement in (BILLED, IN_BATCHES, RESERVED)]
    found, (in_flight,) = (asked[0].fetchone(), asked[1].fetchone())
    unknown = n_unknown = 0
    for owner, count, nano in asked[2].fetchall():
        if owner is not None and tables.is_alive(owner):
            in_flight += nano
        else:  # its process was killed, or no reply came
            unknown, n_unknown = unknown + nano, n_unknown + count
    return Spent(found[0] if found else 0, in_flight, unknown, n_unknown)


def billed(tables: Tables, account: str, keys: Sequence[str]) -> int:
    """What the answers to some requests were billed on an account."""
    found = tables.execute(BILLED_FOR, [json.dumps(list(keys)), account]).fetchone()
    return int(found[0])


def refusal(known: Spent, nano: int, budget_nano: int) -> str:
    """Why a call was refused, in one line."""
    return (
        f"the budget of ${budget_nano / 1e9:g} does not hold the next call's worst case of ${nano / 1e9:g}: "
        f"${known.billed / 1e9:g} is spent{_also(known)}; raise --budget, and the same command goes on"
    )


def _also(known: Spent) -> str:
    parts = [f", ${known.in_flight / 1e9:g} is reserved for calls under way"] if known.in_flight else []
    if known.unknown:
        calls = f"{known.n_unknown} call{'s' if known.n_unknown > 1 else ''} whose bill is unknown may have cost"
        parts.append(f", {calls} ${known.unknown / 1e9:g}")
    return "".join(parts)

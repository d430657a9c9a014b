"""Taking a person's texts out of the ledger: a paid answer keeps its price and its tokens, and says nothing more."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from harness.errors import StoreBusy, StoreError
from harness.ground import sqlite
from harness.ground.traces import ERASED
from harness.models.ledger import leases
from harness.models.ledger.schema import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from sqlite3 import Connection

    from harness.ground.traces import Traces

# A word of the texts first, which is quick; whether the call says one of them is asked of each that is left.
CANDIDATES = """
select id, request, response, attempts, json_extract(response, '$.request_id') from calls where key <> ? and (
    exists (select 1 from json_each(?) word
            where instr(lower(request || coalesce(response, '') || attempts), word.value))
    or json_extract(response, '$.request_id') in (select value from json_each(?)))
"""
UPDATE = "update calls set key = ?, request = ?, response = ?, attempts = ?, servable = 0 where id = ?"
KEPT = ("finish", "usage", "latency_s", "answered_by", "waited_s", "batch")  # of a response: nothing that was said


def erase(path: Path, traces: Traces, request_ids: Collection[str], *, dry_run: bool = False) -> int:
    """How many calls held one of the texts, or have one of the providers' request ids; they are emptied.

    Raises `StoreBusy` while another process uses the ledger: it could write the same once more.
    """
    if not path.exists():
        return 0
    try:
        with closing(sqlite.connect(path, MIGRATIONS, synchronous="full")) as connection:
            found = _found(connection, traces, request_ids)
            if not dry_run:
                _refuse_company(connection, path)
                _empty(connection, found)
                if not sqlite.scrub(connection):
                    raise _busy(path)
            return len(found)
    except sqlite3.Error as error:
        kind = StoreBusy if sqlite.is_busy(error) else StoreError
        raise kind(f"{path}: nothing can be erased from the ledger: {error}") from None


def _found(connection: Connection, traces: Traces, request_ids: Collection[str]) -> list[tuple[int, str | None, str]]:
    asked = [ERASED, json.dumps(traces.words), json.dumps(sorted(request_ids))]
    rows = connection.execute(CANDIDATES, asked).fetchall()
    named = Counter(request_id for *_, request_id in rows)
    # Some servers call every request the same: a name that several calls share is nobody's.
    meant = {one for one in request_ids if named[one] == 1}
    return [
        (number, response, attempts)
        for number, request, response, attempts, request_id in rows
        if request_id in meant or any(map(traces.stand_in, (request, response or "", attempts)))
    ]


def _empty(connection: Connection, found: list[tuple[int, str | None, str]]) -> None:
    rows = [
        (ERASED, json.dumps({"erased": True}), _without_text(response), _without_errors(attempts), number)
        for number, response, attempts in found
    ]
    with sqlite.transaction(connection):
        connection.executemany(UPDATE, rows)


def _without_text(response: str | None) -> str | None:
    if response is None:
        return None
    said = json.loads(response)
    return json.dumps({name: said.get(name) if name in KEPT else None for name in said} | {"text": ""})


def _without_errors(attempts: str) -> str:
    """The attempts' statuses and times; the first ledgers wrote their names beside them."""
    tries = [list(each.values()) if isinstance(each, dict) else each for each in json.loads(attempts)]
    return json.dumps([[status, latency_s, None] for status, latency_s, *_ in tries])


def _refuse_company(connection: Connection, path: Path) -> None:
    for (owner,) in connection.execute("select owner from owners").fetchall():
        if leases.is_alive(connection, owner):
            raise _busy(path)


def _busy(path: Path) -> StoreBusy:
    return StoreBusy(f"{path}: another run uses the ledger, and could write the same again; once it has ended, repeat")

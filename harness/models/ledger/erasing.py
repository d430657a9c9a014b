"""Taking a person's texts out of the ledger: a paid answer keeps its price and its tokens, and says nothing more."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from harness.errors import StoreBusy, StoreGone
from harness.ground.traces import ERASED
from harness.models.ledger.ledger import opener
from harness.models.ledger.tables import Disconnected

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from harness.ground.traces import Traces
    from harness.models.ledger.tables import Tables

UPDATE = "update calls set key = ?, request = ?, response = ?, attempts = ?, servable = false where id = ?"
KEPT = ("finish", "usage", "latency_s", "answered_by", "waited_s", "batch")  # of a response: nothing that was said


def erase(place: Path | str, traces: Traces, request_ids: Collection[str], *, dry_run: bool = False) -> int:
    """How many calls held one of the texts, or have one of the providers' request ids; they are emptied.

    Raises `StoreBusy` while another process uses the ledger: it could write the same once more.
    """
    if not isinstance(place, str) and not place.exists():
        return 0
    with closing(opener(place)()) as tables:
        found = tables.read(lambda open_one: _found(open_one, traces, request_ids))
        if not dry_run:
            tables.read(_refuse_company)
            _empty(tables, found)
            if not tables.scrub():
                raise _busy(tables)
        return len(found)


def _found(tables: Tables, traces: Traces, request_ids: Collection[str]) -> list[tuple[int, str | None, str]]:
    rows = tables.holding(traces.words, sorted(request_ids))
    names = [_request_id(response) for _, _, response, _ in rows]
    shared = Counter(names)
    # Some servers call every request the same: a name that several calls share is nobody's.
    meant = {one for one in request_ids if shared[one] == 1}
    return [
        (number, response, attempts)
        for name, (number, request, response, attempts) in zip(names, rows, strict=True)
        if name in meant or any(map(traces.stand_in, (request, response or "", attempts)))
    ]


def _request_id(response: str | None) -> str | None:
    name = None if response is None else json.loads(response).get("request_id")
    return name if isinstance(name, str) else None


def _empty(tables: Tables, found: list[tuple[int, str | None, str]]) -> None:
    try:
        with tables.transaction():
            for number, response, attempts in found:
                emptied = (_without_text(response), _without_errors(attempts), number)
                tables.execute(UPDATE, (ERASED, json.dumps({"erased": True}), *emptied))
    except Disconnected as problem:
        raise StoreGone(f"{tables.name}: nothing was erased from the ledger: {problem}; repeat") from None


def _without_text(response: str | None) -> str | None:
    if response is None:
        return None
    said = json.loads(response)
    return json.dumps({name: said.get(name) if name in KEPT else None for name in said} | {"text": ""})


def _without_errors(attempts: str) -> str:
    """The attempts' statuses and times; the first ledgers wrote their names beside them."""
    tries = [list(each.values()) if isinstance(each, dict) else each for each in json.loads(attempts)]
    return json.dumps([[status, latency_s, None] for status, latency_s, *_ in tries])


def _refuse_company(tables: Tables) -> None:
    for (owner,) in tables.execute("select owner from owners").fetchall():
        if tables.is_alive(owner):
            raise _busy(tables)


def _busy(tables: Tables) -> StoreBusy:
    return StoreBusy(
        f"{tables.name}: another run uses the ledger, and could write the same again; once it has ended, repeat"
    )

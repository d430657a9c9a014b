"""Calls as rows of the table `calls`, and back."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

from harness.errors import ProviderError
from harness.types import Attempt, Response, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from harness.types import JSON

    # The request, what came of it, its bill if that is known, and its worst case.
    Result = tuple["Asked", Response | ProviderError, int | None, int | None]

# What the column `response` holds, in this order; usage as sent and the attempts have columns of their own.
SAID = {field.name: None for field in fields(Response) if field.name not in ("raw_usage", "attempts", "cached")}.keys()
# The newest servable answer counts, so a deliberate re-ask replaces the one before.
# As one JSON text, for one call of the parser.
NEWEST = (
    "select '[' || response || ',' || coalesce(usage, 'null') || ',' || attempts || ']' "
    "from calls where key = ? and servable order by id desc limit 1"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way into the ledger: its key, its canonical text, when, and on whose account."""

    key: str
    text: str
    at: datetime
    account: str = ""
    prices_as_of: str = ""


def is_unknown(outcome: Response | ProviderError, billed_nano: int | None) -> bool:
    """Whether nobody can say what was paid for this."""
    return outcome.may_be_billed if isinstance(outcome, ProviderError) else billed_nano is None


def row_of(
    asked: Asked, response: Response | None, attempts: Sequence[Attempt], billed_nano: int | None
) -> tuple[object, ...]:
    """A row of the table `calls`, in the order of `bookings.INSERT`."""
    said = None
    if response is not None:
        said = {name: getattr(response, name) for name in SAID}
        said["usage"] = None if response.usage is None else asdict(response.usage)
    servable = response is not None and (bool(response.text) or response.finish == "refusal")
    return (
        *(asked.key, _storable(asked.text), None if said is None else _json(said)),
        *(None if response is None else _json(response.raw_usage), _attempts(attempts), asked.prices_as_of),
        *(servable, asked.at.isoformat(), asked.account, billed_nano),
    )


def _attempts(attempts: Sequence[Attempt]) -> str:
    return _json(
        [[each.status, each.latency_s, each.error] if each.reply is None else list(astuple(each)) for each in attempts]
    )


def _storable(text: str) -> str:
    """JSON text with lone surrogates escaped: a database holds valid Unicode only."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _json(value: JSON) -> str:
    return json.dumps(value)  # in ASCII, which holds even a reply that is no valid Unicode


def response_of(stored: str) -> Response:
    """A stored reply, as `NEWEST` gives it."""
    said, raw_usage, attempts = json.loads(stored)
    known = said if said.keys() == SAID else {name: value for name, value in said.items() if name in SAID}
    known["usage"] = _usage(known["usage"])
    tries = tuple(Attempt(*_values(attempt)) for attempt in attempts)
    return Response(**known, raw_usage=raw_usage, attempts=tries, cached=True)


def _usage(stored: dict[str, int] | None) -> Usage | None:
    """The tokens of a stored reply; None for what older versions believed and no call can have."""
    return None if stored is None or min(stored.values()) < 0 else Usage(**stored)


def _values(attempt: list[Any] | dict[str, Any]) -> list[Any]:
    """An attempt's fields in order; the first ledgers wrote their names beside them."""
    return attempt if isinstance(attempt, list) else [attempt["status"], attempt["latency_s"], attempt["error"]]

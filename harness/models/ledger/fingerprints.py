"""What a call is known by when ledgers are compared: hashes of what its row says, made where the row lies."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

LEFT = ("usage", "prices_as_of", "at", "account", "billed_nano")
"""What is left of a call that was erased, as it was."""
SAYS = ("key", "request", "response", "attempts", *LEFT)
"""What a call says. Whether it may be served is no part of it: that is the ledger's own affair."""
ROWS_OF_FILE, ROWS_OF_SERVER = 200, 5000  # in memory at once; a server sends hashes alone
IN_FILE = f"select id, servable, {', '.join(SAYS)} from calls where id > ? order by id limit {ROWS_OF_FILE}"


class Fingerprint(NamedTuple):
    """A row: `digest` of all that it says, `outline` of what erasing leaves of it."""

    id: int
    key: str
    servable: bool
    digest: bytes
    outline: bytes


def digest_of(values: Iterable[object]) -> bytes:
    """A hash of values, None among them; each with its length, so that none runs into the next."""
    parts = ["-" if value is None else f"{len(str(value).encode())}:{value}" for value in values]
    return sha256("".join(parts).encode()).digest()


def of_row(number: int, servable: object, *says: Any) -> Fingerprint:  # noqa: ANN401  (columns)
    """The fingerprint of a row as `IN_FILE` gives it."""
    return Fingerprint(number, says[0], bool(servable), digest_of(says), digest_of(says[-len(LEFT) :]))


def _on_server(names: Iterable[str]) -> str:
    """As `digest_of`, in PostgreSQL's words."""
    texts = [f"cast({name} as text)" for name in names]
    parts = ", ".join(f"coalesce(octet_length({text}) || ':' || {text}, '-')" for text in texts)
    return f"sha256(convert_to(concat({parts}), 'UTF8'))"


ON_SERVER = (
    f"select id, key, servable, {_on_server(SAYS)}, {_on_server(LEFT)} from calls where id > ? "
    f"order by id limit {ROWS_OF_SERVER}"
)

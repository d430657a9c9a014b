"""What the ledger asks of the place where its tables are: one file, or a PostgreSQL server.

The statements are the same in both. They are written for SQLite; a server's own words stand in `on_server`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from harness.models.ledger.fingerprints import Fingerprint

T = TypeVar("T")


class Unwritable(ValueError):
    """A value that no column can hold; what else is in the transaction can be written without it."""


class Disconnected(Exception):
    """The server is gone, or the connection to it, in the middle of something: see `Tables.regain`."""


class Rows(Protocol):
    """What a statement returns."""

    def fetchone(self) -> Any: ...  # noqa: ANN401, D102
    def fetchall(self) -> list[Any]: ...  # noqa: D102


class Tables(Protocol):
    """An open connection to a ledger's tables. Errors are `StoreError`, or one of the two above."""

    @property
    def name(self) -> str:
        """The place, as it may be shown."""
        ...

    @property
    def answers_at_once(self) -> bool:
        """Whether a look takes no longer than a look into memory, so that nobody else need run meanwhile."""
        ...

    def execute(self, statement: str, values: Sequence[object] = (), /) -> Rows:
        """Carry out a statement, as a part of a transaction or inside of `read`."""
        ...

    def read(self, look: Callable[[Tables], T]) -> T:
        """What is seen, outside of a transaction; may be called from several threads."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, and the only writer from the first statement on."""
        ...

    def regain(self) -> bool:
        """Connect again after `Disconnected`; whether the transaction under way was written all the same.

        Waits as long as for a file that another process holds, then raises `StoreGone`.
        """
        ...

    def check_place(self) -> None:
        """Raise `StoreGone` where what is written would not be found again at the place."""
        ...

    def renew(self, owner: str) -> None:
        """Say that an owner is still there."""
        ...

    def is_alive(self, owner: str) -> bool:
        """Whether an owner still uses the ledger."""
        ...

    def holding(self, words: Sequence[str], request_ids: Sequence[str]) -> list[Any]:
        """Calls (id, request, response, attempts) that say a word or have one of the providers' ids."""
        ...

    def fingerprints(self, after: int) -> list[Fingerprint]:
        """The next calls after an id, in its order; none when there are no more."""
        ...

    def scrub(self) -> bool:
        """Write the place anew without what was deleted; False while another process holds what was there before."""
        ...

    def close(self) -> None:
        """Let the connection go."""
        ...

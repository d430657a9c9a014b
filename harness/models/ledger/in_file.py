"""The ledger's tables in a SQLite file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from harness.errors import StoreBusy, StoreError, StoreFull, StoreGone
from harness.ground import sqlite
from harness.ground.traces import ERASED
from harness.models.ledger import fingerprints, leases
from harness.models.ledger.schema import MIGRATIONS
from harness.models.ledger.tables import Unwritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from harness.models.ledger.fingerprints import Fingerprint

T = TypeVar("T")
# A word of the texts first, which is quick; whether the call says one of them is asked of each that is left.
HOLDING = """
select id, request, response, attempts from calls where key <> ? and (
    exists (select 1 from json_each(?) word
            where instr(lower(request || coalesce(response, '') || attempts), word.value))
    or json_extract(response, '$.request_id') in (select value from json_each(?)))
"""
BROKEN = "put back a copy of it, or move it away: a new one is begun, and what stood in it is asked and paid again"
UNWRITABLE = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)


class FileTables:
    """An open file; see `tables.Tables`. Raises `StoreError` when it is none of ours."""

    answers_at_once = True

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        try:
            # Flushed on every commit, so an answer survives a power cut too, not only a kill.
            self._connection = sqlite.connect(path, MIGRATIONS, synchronous="full")
        except sqlite3.Error as error:
            raise _told(f"{path} cannot be used as the ledger: {error}", error) from None
        self._path, self._file = path, _identity(path)
        self.execute = self._connection.execute
        self.close = self._connection.close

    def read(self, look: Callable[[FileTables], T]) -> T:
        """What is seen."""
        try:
            return look(self)
        except sqlite3.Error as problem:
            raise self._error(problem, "read") from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and the only writer from the first statement on."""
        try:
            with sqlite.transaction(self._connection):
                yield
        except UNWRITABLE as problem:
            raise Unwritable(problem) from None
        except sqlite3.Error as problem:
            raise self._error(problem, "written") from None

    def regain(self) -> bool:
        """A file is never gone."""
        return False

    def check_place(self) -> None:
        """Raise `StoreGone` once the path means another file, or none: nobody would find what is written here."""
        if _identity(self._path) != self._file:
            raise StoreGone(
                f"{self.name}: the ledger was moved or removed while it was in use, so nothing more is asked; put it "
                "back, and the same command goes on"
            )

    def renew(self, owner: str) -> None:
        """Say that an owner is still there."""
        leases.renew(self._connection, owner)

    def is_alive(self, owner: str) -> bool:
        """Whether an owner still uses the ledger."""
        return leases.is_alive(self._connection, owner)

    def holding(self, words: Sequence[str], request_ids: Sequence[str]) -> list[Any]:
        """Calls that say a word or have one of the ids."""
        return self.execute(HOLDING, [ERASED, json.dumps(words), json.dumps(request_ids)]).fetchall()

    def fingerprints(self, after: int) -> list[Fingerprint]:
        """The next calls after an id."""
        rows = self.read(lambda one: one.execute(fingerprints.IN_FILE, [after]).fetchall())
        return [fingerprints.of_row(*row) for row in rows]

    def scrub(self) -> bool:
        """Write the file anew without what was deleted."""
        return sqlite.scrub(self._connection)

    def _error(self, problem: sqlite3.Error, how: str) -> StoreError:
        return _told(f"{self.name}: the ledger could not be {how}: {problem}", problem)


def _told(said: str, problem: sqlite3.Error) -> StoreError:
    if sqlite.is_busy(problem):
        return StoreBusy(f"{said} by another program; once it has let go, the same command goes on")
    if sqlite.is_full(problem):
        return StoreFull(f"{said}; make room, or see to the disk, and the same command goes on")
    return StoreError(f"{said}; {BROKEN}")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def check_is_ledger(path: Path) -> None:
    """Raise `StoreError` for a file that is there and no ledger, before it is opened as one and given its tables."""
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            is_ours = connection.execute("select 1 from sqlite_master where name = 'calls'").fetchone() is not None
    except sqlite3.Error as error:
        raise StoreError(f"{path} is no ledger: {error}; expected one, such as results/calls.sqlite") from None
    if not is_ours:
        raise StoreError(f"{path} is a SQLite file, and no ledger; expected one, such as results/calls.sqlite")

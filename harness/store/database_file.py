"""The store as one DuckDB file, opened for a moment each time: the default."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.store import erasing, opening, transactions
from harness.store.database import attached

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.ground.clock import SystemClock
    from harness.store.database import Beside, T, Tell, Waits, Work
    from harness.store.erasing import Erasure


class DatabaseFile:
    """A DuckDB file; a `database.Database`. One process writes it at a time, and nobody reads it meanwhile."""

    def __init__(self, path: Path, clock: SystemClock, waits: Waits) -> None:
        self.path, self._clock, self._waits = path, clock, waits
        self.tell: Tell = opening.silent

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    @contextmanager
    def reading(self) -> Iterator[DuckDBPyConnection]:
        """The file, open for reading only, cut off from every other file; nobody writes it meanwhile."""
        with opening.reading(self.path, self._clock, self._waits.reader_s, self.tell) as connection:
            yield connection

    @contextmanager
    def asking(self, sql: str) -> Iterator[DuckDBPyConnection]:  # noqa: ARG002  (the connection itself is sealed)
        """The same: the database sees to it that a statement reaches nothing else."""
        with self.reading() as connection:
            yield connection

    @contextmanager
    def copying(self) -> Iterator[DuckDBPyConnection]:
        """The file, open for reading only, and free to write other files."""
        with opening.copying(self.path, self._clock, self._waits.reader_s, self.tell) as connection:
            yield connection

    def write(self, work: Work[T], *parts: str, beside: Beside | None = None) -> T:  # noqa: ARG002
        """Do `work` in a transaction; the whole file is locked, whatever the parts."""
        with (
            opening.writing(self.path, self._clock, self._waits.writer_s, self.tell) as connection,
            attached(connection, beside),
        ):
            return transactions.done(connection, work)

    def attach(self, connection: DuckDBPyConnection, name: str) -> None:
        """Let another connection read the file; nobody writes it meanwhile."""
        opening.attach(connection, name, self.path, self._clock, self._waits.reader_s)

    def erase(self, erasure: Erasure, *, dry_run: bool = False) -> Counter[str]:
        """Take items out, and write the file anew."""
        return erasing.erase(self.path, self._clock, self._waits.writer_s, erasure, dry_run=dry_run)

    def snapshot(self) -> None:
        """A file has none."""

    def pin(self) -> None:
        """A file has one state alone."""

    def close(self) -> None:
        """A file is open only for a moment."""

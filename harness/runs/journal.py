"""Answers to the rows of a file, on their way to the file that holds them all: one SQLite file, safe from kills.

A row's answer is written once; one that failed may be written again.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from harness.errors import ConfigError, StoreError
from harness.ground import sqlite
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from sqlite3 import Connection

    from harness.types import Prediction

COLUMNS = ("label", "score", "outcome", "path", "cost_usd")
"""The columns of an answer, as they stand in the finished file."""

STAYS = f"outcome <> '{Outcome.FAILED.value}'"
MIGRATIONS = (
    (
        "create table about (name text primary key, value text not null) without rowid",
        "create table answers (row integer, arm integer, label text, score real, outcome text not null, path text, "
        "cost_usd real, primary key (row, arm)) without rowid",
    ),
)
ENDINGS = ("", "-wal", "-shm")


class Journal:
    """The answers of one arm (`arm` 0), or of several over the same rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._connection: Connection = sqlite.connect(path, MIGRATIONS, synchronous="full")
        except sqlite.Error as error:
            raise StoreError(f"{path} cannot be used to go on from: {error}; delete it to begin anew") from None

    def begin(self, about: Mapping[str, str]) -> None:
        """Say what is answered by whom; `ConfigError` when it was begun for something else."""
        known = dict(self._connection.execute("select name, value from about"))
        for name, value in about.items():
            if known.get(name, value) != value:
                raise ConfigError(
                    f"{self.path} holds the answers of another {name} ({known[name]}, and now it is {value}); delete "
                    "it to begin anew, or give another --to"
                )
        with sqlite.transaction(self._connection):
            self._connection.executemany("insert or ignore into about values (?, ?)", about.items())

    def done(self, first: int, last: int, arm: int = 0) -> set[int]:
        """The rows from `first` to `last` that need not be asked again."""
        query = f"select row from answers where arm = ? and row between ? and ? and {STAYS}"
        return {row for (row,) in self._connection.execute(query, (arm, first, last))}

    def write(self, rows: Iterable[tuple[int, Prediction]], arm: int = 0) -> None:
        """Keep answers; the first that did not fail stays."""
        values = [
            (row, arm, one.label, one.score, one.outcome.value, ">".join(one.path), one.cost_usd) for row, one in rows
        ]
        with sqlite.transaction(self._connection):
            self._connection.executemany(
                "insert into answers values (?, ?, ?, ?, ?, ?, ?) on conflict (row, arm) do update set "
                "label = excluded.label, score = excluded.score, outcome = excluded.outcome, path = excluded.path, "
                f"cost_usd = excluded.cost_usd where not answers.{STAYS}",
                values,
            )

    def answers(self, arm: int = 0) -> Iterator[tuple[object, ...]]:
        """Every answer in the order of the rows, columns as in `COLUMNS`."""
        query = f"select {', '.join(COLUMNS)} from answers where arm = ? order by row"
        yield from self._connection.execute(query, (arm,))

    def numbers(self, arm: int = 0) -> Iterator[int]:
        """The rows that have an answer, in order, counted from 0."""
        for (row,) in self._connection.execute("select row from answers where arm = ? order by row", (arm,)):
            yield row

    def counts(self, arm: int = 0) -> tuple[dict[str, int], float | None]:
        """How many answers came out how, and what they cost; None where a cost is unknown."""
        query = "select outcome, count(*) from answers where arm = ? group by outcome"
        outcomes = {outcome: int(n) for outcome, n in self._connection.execute(query, (arm,))}
        cost, known, n = self._connection.execute(
            f"select total(cost_usd), count(cost_usd), count(*) from answers where arm = ? and {STAYS}", (arm,)
        ).fetchone()
        return outcomes, float(cost) if known == n else None

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def remove(self) -> None:
        """The file is needed no longer."""
        with closing(self._connection):
            pass
        for ending in ENDINGS:
            self.path.with_name(self.path.name + ending).unlink(missing_ok=True)

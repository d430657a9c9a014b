"""Which rows of one ledger another lacks: compared by their hashes, in a database of its own on the disk.

The same row may stand several times, and does so as often in the copy. A million rows take no memory to speak of.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Literal, Self

from harness.ground.traces import ERASED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from harness.models.ledger.fingerprints import Fingerprint

    Side = Literal["source", "target"]

ComparisonError = sqlite3.Error
TABLE = """
create table {side} (id integer primary key, key text, servable integer, digest blob, outline blob, is_erased integer)
"""
PAIRS = "create table pairs (source_id integer primary key, target_id integer unique, is_erased integer)"
SAME = """
insert into pairs select s.id, t.id, false
from (select id, digest, row_number() over (partition by digest order by id) as nth from source) s
join (select id, digest, row_number() over (partition by digest order by id) as nth from target) t using (digest, nth)
"""
# What was erased in one of them and not in the other is one call all the same.
REST = """
select id, outline, is_erased, row_number() over (partition by outline, is_erased order by id) as nth
from {side} where id not in (select {side}_id from pairs)
"""
SAME_BUT_ERASED = f"""
insert into pairs select s.id, t.id, true
from ({REST.format(side="source")}) s join ({REST.format(side="target")}) t using (outline, nth)
where s.is_erased <> t.is_erased
"""
# The target goes on to serve what it serves, unless the source has that answer too, and a later one.
LACKING = """
select s.id, s.servable and (served.id is null or coalesce(same.servable and same.id < s.id, false))
from source s
left join (select key, max(id) as id from target where servable group by key) served using (key)
left join pairs on pairs.target_id = served.id
left join source same on same.id = pairs.source_id
where s.id not in (select source_id from pairs) order by s.id
"""
NUMBER = "select count(*) from source where id not in (select source_id from pairs)"


class Comparison:
    """The rows of two ledgers; a context manager, whose database goes when it is left."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # in a file without name
        for side in ("source", "target"):
            self._connection.execute(TABLE.format(side=side))
        self._connection.execute(PAIRS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, side: Side, rows: Iterable[Fingerprint]) -> None:
        """Enter rows of one of the two."""
        self._connection.execute("begin")
        self._connection.executemany(
            f"insert into {side} values (?, ?, ?, ?, ?, ?)", ((*row, row.key == ERASED) for row in rows)
        )
        self._connection.execute("commit")

    def last(self, side: Side) -> int:
        """The highest id of one of the two, 0 without a row."""
        return int(self._connection.execute(f"select coalesce(max(id), 0) from {side}").fetchone()[0])

    def pair(self) -> None:
        """Find for each row of the source the one that is the same in the target, if there is one."""
        for statement in ("delete from pairs", SAME, SAME_BUT_ERASED):
            self._connection.execute(statement)

    def n_lacking(self) -> int:
        """How many rows of the source are not in the target."""
        return int(self._connection.execute(NUMBER).fetchone()[0])

    def n_paired(self, *, is_erased: bool = False) -> int:
        """How many are in both; with `is_erased`, how many of those are erased in one of them alone."""
        statement = "select count(*) from pairs where is_erased >= ?"
        return int(self._connection.execute(statement, [is_erased]).fetchone()[0])

    def lacking(self, n: int) -> Iterator[dict[int, bool]]:
        """The ids of those rows, in order, `n` at a time, and whether each is to be served in the target."""
        found = self._connection.execute(LACKING)
        while rows := found.fetchmany(n):
            yield {number: bool(serves) for number, serves in rows}

"""Which items are looked at where a split has very many: some of them, always the same, drawn by their ids.

An item is among them where half of the MD5 of its id (of the UTF-8 text; the last eight bytes, lowest first) is below a
bound: each is with the same probability, whatever the others are, and a smaller share is part of a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

NUMBERS = 1 << 64
LARGEST = """
    select coalesce(max(n), 0) from (
        select count(*) as n from predictions where run_id in (select unnest($1)) group by run_id)
"""


@dataclass(frozen=True, slots=True)
class Subsample:
    """The items whose number is below `bound`, of `n_all`."""

    n_all: int
    bound: int

    def holds(self, item: str = "example_id") -> str:
        """The condition on a row, in SQL; `item` is its column of the id."""
        return f"md5_number_lower({item}) < {self.bound}::ubigint"


def of_runs(connection: DuckDBPyConnection, run_ids: Sequence[str], most: int) -> Subsample | None:
    """Some `most` items of those of the largest of some runs; None where there are no more than that."""
    found = connection.execute(LARGEST, [list(run_ids)]).fetchone()
    n_all = int(found[0]) if found else 0
    return None if n_all <= most else Subsample(n_all, NUMBERS * most // n_all)


def condition(only: Subsample | None, item: str = "example_id") -> str:
    """The same for a statement that may look at all."""
    return "true" if only is None else only.holds(item)

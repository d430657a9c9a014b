"""Which items are looked at where a split has very many: some of them, always the same, drawn by their ids.

An item is among them where half of the MD5 of its id (of the UTF-8 text; the last eight bytes, lowest first) is below a
bound: each is with the same probability, whatever the others are, and a smaller share is part of a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.store.statements import literals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection

NUMBERS = 1 << 64
SIZES = "select run_id, count(*) from predictions where run_id in (select unnest($1)) group by run_id order by run_id"


@dataclass(frozen=True, slots=True)
class Subsample:
    """The items whose number is below `bound`, of `n_all`, and those of the runs that are `small`."""

    n_all: int
    bound: int
    small: tuple[str, ...] = ()

    def holds(self, item: str = "example_id") -> str:
        """The condition on a row, in SQL; `item` is its column of the id."""
        drawn = f"md5_number_lower({item}) < {self.bound}::ubigint"
        if not self.small:
            return drawn
        return f"({drawn} or {item} in (select example_id from predictions where run_id in {literals(self.small)}))"


def of_runs(connection: DuckDBPyConnection, run_ids: Sequence[str], most: int) -> Subsample | None:
    """Some `most` items of those of the largest of some runs; None where there are no more than that.

    A run that has no more itself keeps all of its items: they may have been paid for one by one.
    """
    sizes: dict[str, int] = dict(connection.execute(SIZES, [list(run_ids)]).fetchall())
    n_all = max(sizes.values(), default=0)
    small = tuple(run_id for run_id, n in sizes.items() if n <= most)
    return None if n_all <= most else Subsample(n_all, NUMBERS * most // n_all, small)


def condition(only: Subsample | None, item: str = "example_id") -> str:
    """The same for a statement that may look at all."""
    return "true" if only is None else only.holds(item)

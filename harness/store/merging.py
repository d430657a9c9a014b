"""Runs of shards put together to the run that one process would have made, wherever the shards were made.

A part comes from this store, from another one, or from an exported file. It is checked by itself (its state, its
rows' hash, its set of items) and the whole once more, before anything counts as merged. Rows go from database to
database, those of some items of all parts at a time, in the order of the items: in any other order the keys of the
whole run would be in memory at once.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, cast

import duckdb

from harness.errors import DatasetError, StoreError
from harness.ground.ids import item_set_of
from harness.store import crediting, run_parquet, statements
from harness.store.database import check_tables
from harness.store.rows import PREDICTION_COLUMNS
from harness.store.stored import DONE
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.store.database import Database
    from harness.store.shard_runs import Part
    from harness.store.store import Store
    from harness.types import JSON, Run

ROWS = 50_000  # ids in memory at once
ROWS_AT_ONCE = 500_000
"""So many rows are entered in a transaction, whose keys are in memory."""
STORES = 32
"""So many other stores are open at once."""
COST = "batch_cost_per_1000_usd"
COLUMNS = ", ".join(f'"{name}"' for name in PREDICTION_COLUMNS if name != "run_id")
FORGET_FAILED = "delete from predictions where run_id = ? and outcome = 'failed'"
TIMES = (
    "update runs set started_at = list_min($1::timestamptz[]), finished_at = list_max($2::timestamptz[]), wall_s = $3 "
    "where run_id = $4"
)
STANDING_RUN = "select dataset, n, n_failed, content_hash, wall_s, fit_s from runs where run_id = ?"
STRANGERS = """
    select p.example_id from predictions p join runs r using (run_id)
        left join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id and e.split = r.split
    where p.run_id = ? and e.example_id is null order by p.example_id limit 1
"""
FAILED = "select 1 from predictions where run_id = ? and outcome = 'failed' limit 1"


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the parts of one run. `is_new`: it was put together just now, of `parts` parts."""

    run_id: str
    arm: str
    where: str
    parts: int
    n: int
    n_failed: int = 0
    is_new: bool = True
    content_hash: str | None = None
    wall_s: float | None = None
    fit_s: float | None = None


@dataclass(frozen=True, slots=True)
class Merger:
    """Puts runs together in a store."""

    store: Store

    def merge(self, parts: Sequence[Part], dataset: str) -> Merged:
        """The whole run of these parts, which are all of them, stored; the shards stay as they are.

        Stopped half-way, the same call goes on. Raises `StoreError` or `DatasetError` where a part is not what it says.
        """
        whole, store = parts[0].whole(), self.store
        if any(part.whole() != whole for part in parts):
            raise StoreError(f"{parts[0].words}: the parts differ in more than their items")
        versions = sorted({str(part.facts["code_version"]) for part in parts})
        prices = max((str(part.facts["prices_as_of"]) for part in parts if part.facts["prices_as_of"]), default=None)
        store.start_run(whole, dataset, ", ".join(versions), prices)
        write = store.database.write
        write(partial(_change, FORGET_FAILED, [whole.id]), whole.id)
        self._enter(whole, parts)
        status, reason = write(partial(_state, whole), whole.id)
        if reason is not None:
            store.remove_run(whole.id)
            raise DatasetError(f"parts of {whole.arm} on {dataset} / {whole.split}: {reason}; nothing was merged")
        store.finish_run(whole.id, status, 0.0, _longest(parts, "fit_s"), _facts(parts))
        times = [[part.facts[name] for part in parts if part.facts[name]] for name in ("started_at", "finished_at")]
        values = [*times, sum(_numbers(parts, "wall_s")), whole.id]
        write(partial(_change, TIMES, values), whole.id)
        return self.standing(whole, len(parts), is_new=True)

    def _enter(self, whole: Run, parts: Sequence[Part]) -> None:
        """The rows of checked parts among those of the whole run; what is there stays."""
        largest = max(parts, key=_n)
        step = max(ROWS_AT_ONCE * _n(largest) // max(sum(map(_n, parts)), 1), 1)
        marks = [_checked(part, step) for part in parts][parts.index(largest)]
        for start in range(0, len(parts), STORES):
            some = parts[start : start + STORES]
            beside = _names(some)
            for low, high in pairwise([None, *marks, None]):
                work = partial(_entered, whole, _rows(some, beside, low, high), self.store.extensions)
                self.store.database.write(work, whole.id, beside=beside)

    def standing(self, whole: Run, parts: int, *, is_new: bool) -> Merged:
        """The whole run as it stands in the store."""
        with self.store.reader() as select:
            (row,) = select(STANDING_RUN, [whole.id])
        where = f"{row.pop('dataset')} / {whole.split}"
        return Merged(whole.id, whole.arm, where, parts, is_new=is_new, **row)  # type: ignore[arg-type]  # as stored

    def is_whole(self, run_id: str) -> bool:
        """Whether the run is in the store, and nothing of it has failed."""
        if not self.store.exists():
            return False
        with self.store.reader() as select:
            return bool(select("select 1 from runs where run_id = ? and status = ?", [run_id, DONE]))

    def is_contained(self, part: Part) -> bool:
        """Whether the rows of a part of this store are, to the letter, among those of its whole run."""
        mine = statements.literal(part.run_id)
        among = (
            f"(select p.* from predictions p semi join (select example_id from predictions where run_id = {mine}) "
            "using (example_id))"
        )
        with self.store.database.reading() as connection:
            found = statements.content_of(connection, among, part.shard.run_id)
            return found == statements.content(connection, part.run_id)


def _change(statement: str, values: Sequence[object], connection: DuckDBPyConnection) -> None:
    connection.execute(statement, list(values))


def _entered(whole: Run, rows: str, extensions: Path | None, connection: DuckDBPyConnection) -> None:
    """Rows of parts among those of their whole run, each with its credit; what is there stays.

    Given afterwards, the credit of ten million rows is written 400 times to the disk and back.
    """
    with crediting.added(connection, whole.dataset_id, rows, extensions) as credited:
        names = [*PREDICTION_COLUMNS, "credit"]
        select = f"select {statements.literal(whole.id)} as run_id, {COLUMNS}, credit from ({credited})"
        statements.insert_new(connection, "predictions", names, f"{select} order by example_id", (), [whole.id])


def _rows(parts: Sequence[Part], beside: Mapping[str, Database], low: str | None, high: str | None) -> str:
    """The query of the rows of some parts from one item on and before another."""
    names = {database.name: f"{name}.predictions" for name, database in beside.items()}
    within = "".join(
        f" and example_id {sign} {statements.literal(bound)}"
        for sign, bound in ((">=", low), ("<", high))
        if bound is not None
    )
    return " union all ".join(
        f"select {COLUMNS} from {_table(part, names)} where run_id = {statements.literal(part.run_id)}{within}"
        for part in parts
    )


def _table(part: Part, names: Mapping[str, str]) -> str:
    """Where the rows of a part are for a connection that has other stores beside it, by these names."""
    if part.path is not None:
        return f"({run_parquet.rows_in(part.path)})"
    assert part.store is not None  # what is in no file is in a store
    return "predictions" if part.is_here else names[part.store.database.name]


def _names(parts: Sequence[Part]) -> dict[str, Database]:
    """The other stores in which parts lie, and what each is called while it is read."""
    stores = {part.store.database.name: part.store.database for part in parts if part.store and not part.is_here}
    return {f"other_store_{number}": database for number, database in enumerate(stores.values())}


@contextmanager
def _there(part: Part) -> Iterator[tuple[DuckDBPyConnection, str]]:
    """A connection to where a part lies, and its rows there; those of a file are the ones that were exported."""
    if part.store is not None:
        with part.store.database.copying() as connection:
            check_tables(connection, None, part.store.name)
            yield connection, "predictions"
        return
    assert part.path is not None  # what is in no store is in a file
    told = run_parquet.contents(part.path)
    assert told is not None  # it was read as one of runs
    with duckdb.connect() as connection:
        yield connection, f"({run_parquet.verified(connection, part.path, told)})"


def _checked(part: Part, step: int) -> list[str]:
    """Every `step`-th item of a part, in order.

    Raises `StoreError` unless its rows are those that were stored, and all that it was to have.
    """
    known = part.facts["content_hash"], part.facts["n"]
    marks: list[str] = []

    def ids(connection: DuckDBPyConnection, rows: str) -> Iterator[str]:
        for number, item_id in enumerate(_ids(connection, rows, part.run_id), 1):
            if number % step == 0:
                marks.append(item_id)
            yield item_id

    with _there(part) as (connection, rows):
        if statements.content_of(connection, rows, part.run_id) != known:
            raise StoreError(f"{part.words}: its rows are not those that were stored; run it again")
        if item_set_of(ids(connection, rows)) != part.facts["item_set"]:
            raise StoreError(f"{part.words} does not have all of its items; run it again")
    return marks


def _state(whole: Run, connection: DuckDBPyConnection) -> tuple[str, str | None]:
    """The state of the whole run, and why it is not what it should be, if so."""
    reason = next((f"{what}, the first {row[0]!r}" for what, row in _wrong(connection, whole) if row), None)
    if reason is None and item_set_of(_ids(connection, "predictions", whole.id)) != whole.item_set:
        reason = "together they are not the items of the whole run"
    failed = connection.execute(FAILED, [whole.id]).fetchone()
    return "failed items" if failed else DONE, reason


def _wrong(connection: DuckDBPyConnection, whole: Run) -> Iterator[tuple[str, tuple[object, ...] | None]]:
    """What no row of ours can be, and the first that is: files may come from anywhere."""
    outcomes = ", ".join(statements.literal(outcome.value) for outcome in Outcome)
    yield "items that the split does not have", connection.execute(STRANGERS, [whole.id]).fetchone()
    odd = f"outcome not in ({outcomes}) or (outcome = 'answered') <> (label is not null) or score not between 0 and 1"
    query = f"select example_id from predictions where run_id = ? and ({odd}) order by example_id limit 1"
    yield "rows that no run can have", connection.execute(query, [whole.id]).fetchone()


def _ids(connection: DuckDBPyConnection, rows: str, run_id: str) -> Iterator[str]:
    """The items of a run, in order."""
    result = connection.execute(f"select example_id from {rows} where run_id = ? order by example_id", [run_id])
    while batch := result.fetchmany(ROWS):
        yield from (item_id for (item_id,) in batch)


def _n(part: Part) -> int:
    return int(cast("int", part.facts["n"]))


def _numbers(parts: Sequence[Part], name: str) -> list[float]:
    return [float(cast("float", part.facts[name])) for part in parts if part.facts[name] is not None]


def _longest(parts: Sequence[Part], name: str) -> float | None:
    return max(_numbers(parts, name), default=None)


def _facts(parts: Sequence[Part]) -> dict[str, JSON]:
    """What the arm found out: what all parts say alike, and what an item took in a batch, the mean over the parts."""
    told = [cast("dict[str, JSON]", part.facts["facts"]) for part in parts if part.facts["n"]]
    same = {name: value for name, value in (told or [{}])[0].items() if all(one.get(name) == value for one in told)}
    timed = [float(cast("float", one[COST])) for one in told if COST in one]
    waits = _numbers(parts, "batch_latency_s")
    means: dict[str, JSON] = {"batch_latency_s": fmean(waits)} if waits else {}
    return {**same, **({COST: fmean(timed)} if timed else {}), **means, "shards": len(parts)}

"""Runs of shards put together to the run that one process would have made, wherever the shards were made.

A part comes from this store, from another one, or from an exported file. It is checked by itself (its state, its
rows' hash, its set of items) and the whole once more, before anything counts as merged. Rows go a batch at a time.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, cast

import duckdb

from harness.errors import DatasetError, StoreError
from harness.ground.ids import item_set_of
from harness.store import crediting, run_parquet, statements
from harness.store.opening import reading
from harness.store.rows import PREDICTION_COLUMNS
from harness.store.stored import DONE
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.store.opening import WaitingClock
    from harness.store.shard_runs import Part
    from harness.store.store import Store
    from harness.types import JSON, Run

ROWS = 50_000  # ids in memory at once
VECTORS = 16  # of 2,048 rows, in memory at once
COST = "batch_cost_per_1000_usd"
COLUMNS = ", ".join(f'"{name}"' for name in PREDICTION_COLUMNS)
INSERT = (
    f"insert into predictions ({COLUMNS}, credit) select ?, {COLUMNS.partition(', ')[2]}, credit "
    "from predictions where run_id = ? on conflict do nothing"
)
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
    """Puts runs together in a store; `clock` is for waiting where another process holds one."""

    store: Store
    clock: WaitingClock

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
        with self._writing() as connection:
            connection.execute("delete from predictions where run_id = ? and outcome = 'failed'", [whole.id])
        for part in parts:
            with self._writing() as connection:
                connection.execute("begin")
                self._enter(connection, part, whole.id)
                connection.execute("commit")
        with self._writing() as connection:
            status = _checked(connection, whole, dataset)
            crediting.complete(connection, store.extensions)
        store.finish_run(whole.id, status, 0.0, _longest(parts, "fit_s"), _facts(parts))
        times = [[part.facts[name] for part in parts if part.facts[name]] for name in ("started_at", "finished_at")]
        with self._writing() as connection:
            connection.execute(TIMES, [*times, sum(_numbers(parts, "wall_s")), whole.id])
        return self.standing(whole, len(parts), is_new=True)

    def standing(self, whole: Run, parts: int, *, is_new: bool) -> Merged:
        """The whole run as it stands in the store."""
        with self.store.reader() as select:
            (row,) = select(STANDING_RUN, [whole.id])
        where = f"{row.pop('dataset')} / {whole.split}"
        return Merged(whole.id, whole.arm, where, parts, is_new=is_new, **row)  # type: ignore[arg-type]  # as stored

    def is_whole(self, run_id: str) -> bool:
        """Whether the run is in the store, and nothing of it has failed."""
        if not self.store.path.exists():
            return False
        with self.store.reader() as select:
            return bool(select("select 1 from runs where run_id = ? and status = ?", [run_id, DONE]))

    def is_contained(self, part: Part) -> bool:
        """Whether the rows of a part of this store are, to the letter, among those of its whole run."""
        among = (
            f"(select {COLUMNS} from predictions where run_id = ? and example_id in "
            "(select example_id from predictions where run_id = ?))"
        )
        with self._writing() as connection:
            mine = statements.content(connection, part.run_id)
            return mine == statements.content_of(connection, among, [part.shard.run_id, part.run_id])

    def _enter(self, connection: DuckDBPyConnection, part: Part, whole_id: str) -> None:
        """The rows of a part among those of its whole run; what is there stays."""
        if part.path is None:
            _check_part(connection, part, "predictions where run_id = ?", [part.run_id])
            connection.execute(INSERT, [whole_id, part.run_id])
            return
        with self._elsewhere(part) as (there, rows, values):
            _check_part(there, part, rows, values)
            result = there.execute(f"select {COLUMNS} from {rows}", values)
            while not (frame := result.fetch_df_chunk(VECTORS)).empty:
                statements.insert_frame(connection, "predictions", frame.assign(run_id=whole_id))

    @contextmanager
    def _elsewhere(self, part: Part) -> Iterator[tuple[DuckDBPyConnection, str, list[str]]]:
        """A connection to where a part lies; what its rows are called there, and with which values."""
        path = cast("Path", part.path)
        told = run_parquet.contents(path)
        if told is None:
            with reading(path, self.clock, self.store.wait_s) as connection:
                yield connection, "predictions where run_id = ?", [part.run_id]
            return
        with duckdb.connect() as connection:
            yield connection, f"({run_parquet.verified(connection, path, told)}) where run_id = ?", [part.run_id]

    @contextmanager
    def _writing(self) -> Iterator[DuckDBPyConnection]:
        """The store, open for writing, without the warning that duckdb calls pandas in a way pandas 4 will not know."""
        with self.store.written() as connection, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield connection


def _check_part(connection: DuckDBPyConnection, part: Part, rows: str, values: Sequence[str]) -> None:
    """Raise `StoreError` unless the rows of a part are those that were stored, and all that it was to have."""
    known = part.facts["content_hash"], part.facts["n"]
    if statements.content_of(connection, rows, values) != known:
        raise StoreError(f"{part.words}: its rows are not those that were stored; run it again")
    if _item_set(connection, rows, values) != part.facts["item_set"]:
        raise StoreError(f"{part.words} does not have all of its items; run it again")


def _checked(connection: DuckDBPyConnection, whole: Run, dataset: str) -> str:
    """The state of the whole run; where it is not what it should be, its rows go and `DatasetError` says why."""
    reason = next((f"{what}, the first {row[0]!r}" for what, row in _wrong(connection, whole) if row), None)
    if reason is None and _item_set(connection, "predictions where run_id = ?", [whole.id]) != whole.item_set:
        reason = "together they are not the items of the whole run"
    if reason is not None:
        connection.execute("delete from predictions where run_id = ?", [whole.id])
        connection.execute("delete from runs where run_id = ?", [whole.id])
        raise DatasetError(f"parts of {whole.arm} on {dataset} / {whole.split}: {reason}; nothing was merged")
    failed = connection.execute(FAILED, [whole.id]).fetchone()
    return "failed items" if failed else DONE


def _wrong(connection: DuckDBPyConnection, whole: Run) -> Iterator[tuple[str, tuple[object, ...] | None]]:
    """What no row of ours can be, and the first that is: files may come from anywhere."""
    outcomes = ", ".join(statements.literal(outcome.value) for outcome in Outcome)
    yield "items that the split does not have", connection.execute(STRANGERS, [whole.id]).fetchone()
    odd = f"outcome not in ({outcomes}) or (outcome = 'answered') <> (label is not null) or score not between 0 and 1"
    query = f"select example_id from predictions where run_id = ? and ({odd}) order by example_id limit 1"
    yield "rows that no run can have", connection.execute(query, [whole.id]).fetchone()


def _item_set(connection: DuckDBPyConnection, rows: str, values: Sequence[str]) -> str:
    result = connection.execute(f"select example_id from {rows} order by example_id", list(values))
    batches = iter(lambda: result.fetchmany(ROWS), [])
    return item_set_of(item_id for batch in batches for (item_id,) in batch)


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

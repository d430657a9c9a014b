"""Taking a person's items out of the store. DuckDB leaves deleted rows in the file, so the file is written anew.

The old file is locked for reading while the new one is made beside it, so nobody writes; then the new one takes its
name. Whatever happens before that, the old one is whole.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from harness.errors import StoreBusy, StoreError, StoreFull
from harness.ground import private
from harness.ground.ids import item_set_id
from harness.store import macros, schema, statements
from harness.store.opening import FORMAT, first_line, writing
from harness.store.statements import literal
from harness.store.stepping_aside import in_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.ground.clock import SystemClock
    from harness.ground.traces import Traces

TABLES = ("schema_versions", "datasets", "examples", "prompts", "runs", "predictions", "looks")
# Columns that may say what an item says, by table; of these the values in JSON stay JSON.
TOLD = {
    "datasets": ("description", "source"),
    "prompts": ("content",),
    "runs": ("params", "limits", "facts"),
    "predictions": ("raw", "error", "label"),
}
IN_JSON = ("source", "params", "limits", "facts")
LEFT = {
    "examples": (
        "not exists (select 1 from gone g where (g.dataset_id, g.example_id) = (t.dataset_id, t.example_id)) "
        # Of a large dataset that was entered when the command was killed, nothing else knows.
        "and exists (select 1 from {old}.datasets d where d.dataset_id = t.dataset_id)"
    ),
    "predictions": (
        "not exists (select 1 from {old}.runs r join gone g using (dataset_id) "
        "where r.run_id = t.run_id and g.example_id = t.example_id)"
    ),
}
"""Which rows of a table stay; `old` is the database that holds them."""
OLD = "old"
TRIES = 20
PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to go. `gone` are item ids by dataset id, `renamed` the new ids of datasets whose content changes.

    `traces` are looked for in what models replied, in errors, settings and prompts.
    """

    gone: Mapping[str, frozenset[str]]
    renamed: Mapping[str, str]
    traces: Traces


def erase(path: Path, clock: SystemClock, wait_s: float, erasure: Erasure, *, dry_run: bool = False) -> Counter[str]:
    """How many items, predictions and other texts the store held; the file no longer holds a byte of them."""
    if not path.exists():
        return Counter()
    for left in path.parent.glob(f".{path.name}.*.new*"):
        left.unlink(missing_ok=True)  # of an erasure that was killed
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with _locked(path, clock, wait_s) as connection:
            note(connection, erasure)
            changed = changes(connection, erasure.traces)
            counts = counted(connection, changed)
            if dry_run or not (counts.total() or _is_renamed(connection)):
                return counts
            _attach(connection, fresh)
            _copy(connection, changed)
            _settle(connection)
            connection.execute("use memory; detach fresh")
            with in_place(path, is_moved=True) as is_ours:
                fresh.replace(path)
                if not is_ours:
                    clock.pause(PAUSE_S)  # whoever opened the old file meanwhile finds it locked, and opens the new one
            return counts
    except duckdb.IOException as error:
        raise StoreFull(f"{path}: {first_line(error)}; free some disk space and run the command again") from None
    except duckdb.Error as error:
        raise StoreError(f"{path}: nothing was erased from the store: {first_line(error)}") from None
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def _locked(path: Path, clock: SystemClock, wait_s: float) -> Iterator[DuckDBPyConnection]:
    """A database in memory beside the store `old`, which nobody can write meanwhile and which has no log."""
    for _ in range(TRIES):
        with writing(path, clock, wait_s) as connection:
            connection.execute("checkpoint")
        with private.files(), duckdb.connect() as connection:
            try:
                connection.execute(f"attach {literal(str(path))} as old (read_only)")
            except duckdb.IOException:
                clock.pause(PAUSE_S)
                continue  # somebody else was faster
            if not path.with_name(f"{path.name}.wal").exists():
                yield connection
                return
    raise StoreBusy(f"{path} is written by another process all the time; once it has ended, run the command again")


def note(connection: DuckDBPyConnection, erasure: Erasure) -> None:
    """The items, the new names and the words to look for, as tables of the connection."""
    gone = [(dataset, item) for dataset, items in erasure.gone.items() for item in sorted(items)]
    frames = {
        "gone": pd.DataFrame(gone, columns=["dataset_id", "example_id"], dtype="str"),
        "renamed": pd.DataFrame(list(erasure.renamed.items()), columns=["old", "new"], dtype="str"),
        "words": pd.DataFrame({"word": erasure.traces.words}, dtype="str"),
    }
    for name, frame in frames.items():
        connection.register("incoming", frame)
        connection.execute(f"create or replace temp table {name} as select * from incoming")
        connection.unregister("incoming")


def changes(connection: DuckDBPyConnection, traces: Traces, old: str = OLD) -> dict[str, pd.DataFrame]:
    """Rows that say one of the texts, by table: their number in the old database, and their columns without it."""
    return {table: _without(connection, f"{old}.{table}", traces) for table in TOLD}


def left(name: str) -> str:
    """The condition for rows of a table, `database.table`, that stay."""
    old, _, table = name.rpartition(".")
    return LEFT.get(table, "true").format(old=old)


def _without(connection: DuckDBPyConnection, name: str, traces: Traces) -> pd.DataFrame:
    columns = TOLD[name.rpartition(".")[2]]
    said = ", ".join(f"{name}::varchar" for name in columns)
    rows = connection.execute(
        f"select rowid, {said} from {name} t where {left(name)} and exists "
        f"(select 1 from words w where contains(lower(concat_ws(' ', {said})), w.word))"
    ).fetchall()
    found = [
        (number, *(_erased(column, value, traces) for column, value in zip(columns, values, strict=True)))
        for number, *values in rows
        if any(value is not None and traces.stand_in(value) for value in values)
    ]
    return pd.DataFrame(found, columns=["number", *columns], dtype=object)


def _erased(column: str, value: str | None, traces: Traces) -> str | None:
    if value is None or not traces.stand_in(value):
        return value
    return json.dumps(traces.erased(json.loads(value))) if column in IN_JSON else str(traces.erased(value))


def counted(connection: DuckDBPyConnection, changed: Mapping[str, pd.DataFrame], old: str = OLD) -> Counter[str]:
    """How many rows go, by table, and how many others say one of the texts."""
    names = {table: f"{old}.{table}" for table in LEFT}
    counts = Counter({table: _count(connection, f"{name} t where not ({left(name)})") for table, name in names.items()})
    return counts + Counter({f"texts in {table}": len(rows) for table, rows in changed.items()})


def _is_renamed(connection: DuckDBPyConnection) -> bool:
    return _count(connection, "old.datasets where dataset_id in (select old from renamed)") > 0


def _count(connection: DuckDBPyConnection, what: str) -> int:
    found = connection.execute(f"select count(*) from {what}").fetchone()
    return int(found[0]) if found else 0


def _attach(connection: DuckDBPyConnection, fresh: Path) -> None:
    connection.execute(f"attach {literal(str(fresh))} as fresh (storage_version '{FORMAT}')")
    connection.execute("use fresh")
    schema.upgrade(connection, fresh)
    connection.execute("delete from schema_versions")


def _copy(connection: DuckDBPyConnection, changed: Mapping[str, pd.DataFrame]) -> None:
    for table in TABLES:
        described = connection.execute(f"select * from fresh.{table} limit 0").description or []
        names = [str(column[0]) for column in described]
        rows = changed.get(table)
        told = TOLD.get(table, ()) if rows is not None and len(rows) else ()
        select = ", ".join(_selected(name, told) for name in names)
        source = f"old.{table} t"
        if told:
            connection.register("incoming", rows)
            source += " left join incoming c on c.number = t.rowid"
        quoted = ", ".join(f'"{name}"' for name in names)
        connection.execute(
            f"insert into fresh.{table} ({quoted}) select {select} from {source} "
            f"where {left(f'{OLD}.{table}')} on conflict do nothing"
        )
        if told:
            connection.unregister("incoming")


def _selected(name: str, told: tuple[str, ...]) -> str:
    if name == "dataset_id":
        return "coalesce((select r.new from renamed r where r.old = t.dataset_id), t.dataset_id)"
    return f'if(c.number is null, t."{name}"::varchar, c."{name}"::varchar)' if name in told else f't."{name}"'


def _settle(connection: DuckDBPyConnection) -> None:
    """Count anew what the runs and datasets hold that lost something."""
    connection.execute(
        "update datasets set n = (select count(*) from examples e where e.dataset_id = datasets.dataset_id)"
    )
    for run_id in _other_runs(connection):
        settle_run(connection, run_id, _ids(connection, "old", run_id), _ids(connection, "fresh", run_id))
    macros.enter(connection)


def _other_runs(connection: DuckDBPyConnection) -> list[str]:
    """The runs whose rows are not what they were."""
    said = "(select run_id, example_id, raw, error, label from {}predictions)"
    both = f"{said.format('old.')} except {said.format('fresh.')}"
    return [row[0] for row in connection.execute(f"select distinct run_id from ({both}) order by 1").fetchall()]


def _ids(connection: DuckDBPyConnection, where: str, run_id: str) -> list[str]:
    query = f"select example_id from {where}.predictions where run_id = ?"
    return [row[0] for row in connection.execute(query, [run_id]).fetchall()]


def settle_run(connection: DuckDBPyConnection, run_id: str, before: list[str], after: list[str]) -> None:
    """Count and hash a run anew that had some items and has others now."""
    digest, n = statements.content(connection, run_id)
    connection.execute(
        "update runs set content_hash = if(content_hash is null, null, $1), n = if(n is null, null, $2), "
        "n_failed = if(n_failed is null, null, (select count(*) from predictions p where p.run_id = $5 "
        "and p.outcome = 'failed')), item_set = if(item_set = $3, $4, item_set) where run_id = $5",
        [digest, n, item_set_id(before), item_set_id(after), run_id],
    )

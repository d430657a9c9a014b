"""A store copied into another, file or lake: run by run, each whole and checked, or not there.

What the other has already stays as it is there. Whoever is interrupted starts again, and the copy goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import ConfigError, StoreError
from harness.store import macros, statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection

    from harness.store.database import Database

BESIDE = "beside"
MISSING = f"select {{key}} from {BESIDE}.{{table}} where {{key}} not in (select {{key}} from {{table}}) order by 1"
IN_BOTH = f"select count(*) from {BESIDE}.runs semi join runs using (run_id)"
OTHER_ROWS = f"""
    select s.run_id, t.content_hash is null from {BESIDE}.runs s join runs t using (run_id)
    where s.content_hash is not null and s.content_hash is distinct from t.content_hash order by 1
"""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a store was given, and the runs that it had already. `rows` are predictions."""

    datasets: int
    prompts: int
    runs: int
    rows: int
    had: int


@dataclass(frozen=True, slots=True)
class _Missing:
    """What the one store holds and the other does not, by id; how many runs are in both."""

    datasets: tuple[str, ...]
    prompts: tuple[str, ...]
    runs: tuple[str, ...]
    had: int


def copy(source: Database, target: Database, watch: Callable[[int, int], None]) -> Copied:
    """Copy what the target lacks; `watch` hears how many of how many runs are there.

    Raises `StoreError` before anything is written when a run is in both with different rows, and when the rows of a
    run of the source are not those that it stored.
    """
    if source.name == target.name:
        raise ConfigError(f"{source.name} was named twice; a store is copied into another")
    with source.reading():
        pass  # there is one, with tables in the newest form
    beside = {BESIDE: source}
    missing = target.write(_missing, beside=beside)
    for dataset_id in missing.datasets:
        target.write(partial(_dataset, dataset_id), beside=beside)
    for prompt_id in missing.prompts:
        target.write(partial(_entered, "prompts", "id", prompt_id), beside=beside)
    n = 0
    for done, run_id in enumerate(missing.runs, 1):
        n += target.write(partial(_run, run_id), run_id, beside=beside)
        watch(done, len(missing.runs))
    target.write(_complete, beside=beside)
    return Copied(len(missing.datasets), len(missing.prompts), len(missing.runs), n, missing.had)


def _missing(connection: DuckDBPyConnection) -> _Missing:
    different = connection.execute(OTHER_ROWS).fetchone()
    if different is not None:
        is_open = "it has not ended there" if different[1] else "with other rows"
        raise StoreError(
            f"run {different[0]} is in both stores, and {is_open}; nothing was copied. To take this one's, remove "
            f"the other first: harness runs rm {different[0]} --db STORE"
        )
    had = connection.execute(IN_BOTH).fetchone()
    return _Missing(
        datasets=_ids(connection, "datasets", "dataset_id"),
        prompts=_ids(connection, "prompts", "id"),
        runs=_ids(connection, "runs", "run_id"),
        had=int(had[0]) if had else 0,
    )


def _ids(connection: DuckDBPyConnection, table: str, key: str) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute(MISSING.format(table=table, key=key)).fetchall())


def _dataset(dataset_id: str, connection: DuckDBPyConnection) -> None:
    for table in ("examples", "datasets"):
        _entered(table, "dataset_id", dataset_id, connection)


def _run(run_id: str, connection: DuckDBPyConnection) -> int:
    """How many rows a run has, once they are there and are those that it stored."""
    for table in ("predictions", "runs"):
        _entered(table, "run_id", run_id, connection)
    connection.execute(
        "update runs set tag = null where run_id = $1 and tag in (select tag from runs where run_id <> $1)", [run_id]
    )
    copied = statements.content(connection, run_id)
    stored = connection.execute(f"select content_hash, n from {BESIDE}.runs where run_id = ?", [run_id]).fetchone()
    if stored is None or stored[0] is None:  # it has not ended: what is there is what it has
        stored = statements.content(connection, run_id, BESIDE)
    if copied != tuple(stored):
        raise StoreError(
            f"run {run_id}: {copied[1]:,} rows came that are not the {stored[1]:,} it stored; it was not copied, those "
            "before it were. harness doctor says which runs of a store are damaged"
        )
    return copied[1]


def _complete(connection: DuckDBPyConnection) -> None:
    """What goes for all runs: how often the splits were looked at, and which runs stand for their arms."""
    names = statements.LOOK_COLUMNS
    statements.insert_new(connection, "looks", names, f"select {', '.join(names)} from {BESIDE}.looks")
    macros.enter(connection)


def _entered(table: str, key: str, value: str, connection: DuckDBPyConnection) -> None:
    """The rows of the source with that key, whatever the order of its columns."""
    described = connection.execute(f"select * from {table} limit 0").description or []
    names = [str(column[0]) for column in described]
    quoted = ", ".join(f'"{name}"' for name in names)
    select = f"select {quoted} from {BESIDE}.{table} where {key} = ?"
    statements.insert_new(connection, table, names, select, [value], [value] if key == "run_id" else [])

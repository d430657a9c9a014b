"""What is written into the store, each the work of one transaction on its open database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from harness.errors import StoreError
from harness.store import crediting, macros, run_parquet, schema, statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.store.run_parquet import Contents

# A lake does work again whose end nobody heard of: the seconds of one end are added once.
FINISH = """
    update runs set status = $1, purpose = if($2, 'limited', purpose), finished_at = $3,
        wall_s = coalesce(wall_s, 0) + if(finished_at is not distinct from $3, 0, $4), fit_s = coalesce($5, fit_s),
        limits = coalesce($6, limits), facts = coalesce($7, facts), batch_latency_s = coalesce($8, batch_latency_s),
        n = $9, content_hash = $10,
        n_failed = (select count(*) from predictions where run_id = $11 and outcome = 'failed')
    where run_id = $11
"""


def examples(connection: DuckDBPyConnection, frame: pd.DataFrame) -> None:
    """Enter some examples of a dataset that is not entered yet."""
    statements.insert_frame(connection, "examples", frame)


def dataset(
    connection: DuckDBPyConnection,
    fields: Mapping[str, object],
    frame: pd.DataFrame,
    extensions: Path | None,
) -> None:
    """Enter a dataset and the last of its examples; answers to them that were there before get their credit."""
    if not frame.empty:
        examples(connection, frame)
    statements.insert_row(connection, "datasets", fields)
    crediting.complete(connection, extensions)


def start(connection: DuckDBPyConnection, fields: Mapping[str, object]) -> set[str]:
    """Enter a run as running; one that is there is so again. The items that have an answer."""
    _begin(connection, fields)
    return statements.done(connection, str(fields["run_id"]))


def _begin(connection: DuckDBPyConnection, fields: Mapping[str, object]) -> None:
    statements.insert_row(connection, "runs", fields)
    connection.execute(
        "update runs set status = 'running', purpose = $1 where run_id = $2 "
        "and (status, purpose) is distinct from ('running', $1)",
        [fields["purpose"], fields["run_id"]],
    )


def predictions(connection: DuckDBPyConnection, frame: pd.DataFrame, extensions: Path | None) -> None:
    """Enter predictions of runs; one that is there stays, unless it had failed: then the new one replaces it."""
    run_ids = frame["run_id"].unique().tolist()
    if not run_ids:
        return
    connection.register("incoming", frame[["run_id", "example_id"]])
    connection.execute(
        f"delete from predictions where run_id in {statements.literals(run_ids)} and outcome = 'failed' "
        "and (run_id, example_id) in (select (run_id, example_id) from incoming)"
    )
    connection.unregister("incoming")
    credit = crediting.of_rows(connection, frame, extensions)
    credited = frame.assign(credit=pd.Series(credit, dtype="Float64"))
    statements.insert_frame(connection, "predictions", credited, run_ids)


def whole_runs(
    connection: DuckDBPyConnection,
    runs: Sequence[Mapping[str, object]],
    frame: pd.DataFrame,
    now: datetime,
    extensions: Path | None,
) -> None:
    """Enter runs that are done, rows of the table `runs`, with the predictions of all of them."""
    for fields in runs:
        _begin(connection, fields)
    predictions(connection, frame, extensions)
    run_ids = [str(fields["run_id"]) for fields in runs]
    for run_id in run_ids:
        _close(connection, run_id, ["done", False, now, 0.0, None, None, None, None], now)
    macros.enter(connection, macros.places(connection, run_ids))


def finish(connection: DuckDBPyConnection, run_id: str, values: Sequence[object], now: datetime) -> None:
    """Close a run with the hash of its rows; `values` are the first eight of `FINISH`."""
    _close(connection, run_id, values, now)
    macros.enter(connection, macros.places(connection, [run_id]))


def _close(connection: DuckDBPyConnection, run_id: str, values: Sequence[object], now: datetime) -> None:
    digest, n = statements.content(connection, run_id)
    connection.execute(FINISH, [*values, n, digest, run_id])
    if n:
        statements.insert_new(connection, "looks", statements.LOOK_COLUMNS, statements.LOOK, [now, run_id])


def tag(connection: DuckDBPyConnection, run_id: str, name: str) -> None:
    """Give a run a tag; it leaves the run that had it."""
    connection.execute("update runs set tag = null where tag = ?", [name])
    connection.execute("update runs set tag = ? where run_id = ?", [name, run_id])


def remove(connection: DuckDBPyConnection, run_id: str) -> None:
    """Remove a run and its predictions."""
    places = macros.places(connection, [run_id])
    connection.execute("delete from predictions where run_id = ?", [run_id])
    connection.execute("delete from runs where run_id = ?", [run_id])
    macros.enter(connection, places)


def restore(
    connection: DuckDBPyConnection, path: Path, told: Contents, now: datetime, extensions: Path | None
) -> list[str]:
    """Enter the runs of an exported file that are not there; the ids of all. `StoreError` where rows differ."""
    ids = [run.run_id for run in told.runs]
    here = {run.run_id: run.content_hash for run in run_parquet.records(connection, ids)}
    for run in told.runs:
        if here.get(run.run_id, run.content_hash) != run.content_hash:
            raise StoreError(
                f"{path}: run {run.run_id} is in the store already, with other rows; to take the file's, "
                f"remove it first: harness runs rm {run.run_id}"
            )
    fresh = tuple(run for run in told.runs if run.run_id not in here)
    if not fresh:
        return ids
    run_parquet.restore(connection, path, told, fresh)
    schema.complete_runs(connection)
    crediting.complete(connection, extensions)
    for run in fresh:
        if statements.content(connection, run.run_id) != (run.content_hash, run.n):
            raise StoreError(f"{path}: the rows of run {run.run_id} are not those it had; export it again")
        statements.insert_new(connection, "looks", statements.LOOK_COLUMNS, statements.LOOKED, [now, run.run_id])
    macros.enter(connection, macros.places(connection, [run.run_id for run in fresh]))
    return ids

"""Exported runs without a person's items: the file is written anew, its hash with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from harness.ground.ids import item_set_id
from harness.store import run_parquet, statements

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.store.erasing import Erasure
    from harness.store.run_parquet import RunRecord


def erase(path: Path, erasure: Erasure, *, dry_run: bool = False) -> int:
    """How many predictions of a file of runs were of items that go, or said what they say; 0 for any other file."""
    told = run_parquet.contents(path)
    if told is None:
        return 0
    with duckdb.connect() as connection:
        connection.execute(f"create table predictions as {run_parquet.verified(connection, path, told)}")
        before = {run.run_id: _ids(connection, run.run_id) for run in told.runs}
        n = sum(_take_out(connection, run, erasure) for run in told.runs)
        if (n or any(run.dataset_id in erasure.renamed for run in told.runs)) and not dry_run:
            runs = tuple(_settled(connection, run, before[run.run_id], erasure) for run in told.runs)
            run_parquet.write(connection, runs, told.looks, path)
    return n


def _take_out(connection: DuckDBPyConnection, run: RunRecord, erasure: Erasure) -> int:
    of_run = "from predictions where run_id = ?"
    gone = sorted(erasure.gone.get(run.dataset_id, ()))
    went = connection.execute(f"delete {of_run} and example_id in (select unnest(?))", [run.run_id, gone]).fetchone()
    rows = connection.execute(f"select example_id, raw, error {of_run}", [run.run_id]).fetchall()
    traces = erasure.traces
    said = [row for row in rows if any(value is not None and traces.stand_in(value) for value in row[1:])]
    for item_id, raw, error in said:
        connection.execute(
            "update predictions set raw = ?, error = ? where run_id = ? and example_id = ?",
            [traces.erased(raw), traces.erased(error), run.run_id, item_id],
        )
    return (int(went[0]) if went else 0) + len(said)


def _settled(connection: DuckDBPyConnection, run: RunRecord, before: list[str], erasure: Erasure) -> RunRecord:
    """The record of a run as its rows are now."""
    digest, n = statements.content(connection, run.run_id)
    whole = item_set_id(before) == run.item_set
    traces = erasure.traces
    return replace(
        run,
        params=json.dumps(traces.erased(json.loads(run.params))) if traces.stand_in(run.params) else run.params,
        dataset_id=erasure.renamed.get(run.dataset_id, run.dataset_id),
        item_set=item_set_id(_ids(connection, run.run_id)) if whole else run.item_set,
        content_hash=digest or run.content_hash,
        n=n,
    )


def _ids(connection: DuckDBPyConnection, run_id: str) -> list[str]:
    found = connection.execute("select example_id from predictions where run_id = ?", [run_id]).fetchall()
    return [row[0] for row in found]

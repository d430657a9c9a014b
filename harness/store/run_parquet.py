"""Runs as a Parquet file that travels: a run and its repeats, with the hash of their rows inside.

The file's metadata say what it is under one key: the runs as the store knew them, how often their
split had been looked at, and the SHA-256 of the rows. Whatever is read back is checked against it
first; a hash guards against damage and edits, not against somebody who forges both.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import duckdb

from harness.errors import StoreError
from harness.ground import private
from harness.ground.ids import canonical_json
from harness.ground.validation import validated
from harness.store.rows import PREDICTION_COLUMNS
from harness.store.statements import literal
from harness.types import Purpose

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from duckdb import DuckDBPyConnection

KEY = "harness"
FORMAT = "harness-runs/1"
RUN_ID = re.compile(r"s\d+:[0-9a-f]{16,64}")
MAX_FILE_BYTES = 1024**3
ROWS = ", ".join("scores::text as scores" if name == "scores" else f'"{name}"' for name in PREDICTION_COLUMNS)
HASH = "select sha256(string_agg(to_json(r)::text, chr(30) order by run_id, example_id)), count(*) from ({rows}) r"
TYPES = {
    **dict.fromkeys(PREDICTION_COLUMNS, "VARCHAR"),
    **dict.fromkeys(("input_fresh", "cache_read", "cache_write", "output_visible", "reasoning", "attempts"), "INTEGER"),
    **dict.fromkeys(("score", "cost_usd", "billed_usd", "latency_s", "waited_s"), "DOUBLE"),
    "cached": "BOOLEAN",
    "path": "VARCHAR[]",
}


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as the store knew it: the columns of the table `runs` that say what it is and how it went.

    `params` is JSON text, the times are ISO texts. `purpose` is None in a file of an older harness.
    """

    run_id: str
    dataset_id: str
    dataset: str
    split: str
    arm: str
    arm_id: str
    model: str | None
    params: str
    seed: int
    n_train: int | None
    repeat: int
    item_set: str
    status: str
    started_at: str
    finished_at: str | None
    wall_s: float | None
    fit_s: float | None
    n: int
    content_hash: str
    code_version: str | None
    prices_as_of: str | None
    purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file of runs says it holds. `looks`: how often the split had been scored when it was written."""

    format: str
    rows_sha256: str
    n: int
    looks: int
    runs: tuple[RunRecord, ...] = field(default=())


def records(connection: DuckDBPyConnection, run_ids: list[str]) -> tuple[RunRecord, ...]:
    """The records of some runs, by repeat."""
    names = list(RunRecord.__dataclass_fields__)
    columns = ", ".join(f"{name}::text" if name in ("params", "started_at", "finished_at") else name for name in names)
    found = connection.execute(
        f"select {columns} from runs where run_id in (select unnest(?)) order by repeat, run_id", [run_ids]
    ).fetchall()
    return tuple(RunRecord(*row) for row in found)


def write(connection: DuckDBPyConnection, runs: tuple[RunRecord, ...], looks: int, path: Path) -> Contents:
    """The file of these runs at `path`, there whole or not at all; the same runs give the same bytes."""
    ids = ", ".join(literal(run.run_id) for run in runs)
    query = f"select {ROWS} from predictions where run_id in ({ids}) order by run_id, example_id"
    digest, n = _hash(connection, query)
    contents = Contents(FORMAT, digest, n, looks, runs)
    meta = literal(canonical_json(asdict(contents)))
    try:
        with private.replaced(path) as fresh:
            copied = f"(format parquet, compression zstd, kv_metadata {{{KEY}: {meta}}})"
            connection.execute(f"copy ({query}) to {literal(str(fresh))} {copied}")
    except duckdb.Error as error:
        raise StoreError(f"{path} cannot be written: {str(error).partition(chr(10))[0]}") from None
    return contents


def contents(path: Path) -> Contents | None:
    """What a Parquet file says of itself; None when it is not a file of runs. Its rows are not read."""
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return None
    with duckdb.connect() as connection:
        try:
            found = connection.execute(
                "select decode(value) from parquet_kv_metadata(?) where decode(key) = ?", [str(path), KEY]
            ).fetchone()
        except duckdb.Error as error:
            raise StoreError(f"{path}: not readable as Parquet: {str(error).partition(chr(10))[0]}") from None
    if found is None:
        return None
    try:
        told = json.loads(found[0])
    except (ValueError, RecursionError):
        raise StoreError(f"{path}: its metadata are not JSON; export the run again") from None
    read = validated(Contents, told, f"{path}: metadata")
    if read.format != FORMAT:
        raise StoreError(f"{path} is in format {read.format!r}; this harness reads {FORMAT!r}: upgrade it")
    if any(not RUN_ID.fullmatch(run.run_id) or not run.arm.isprintable() for run in read.runs):
        raise StoreError(f"{path}: its metadata name a run as no run of ours is named; export the run again")
    if not read.runs:
        raise StoreError(f"{path} holds no run; export the run again")
    return read


def rows(path: Path, told: Contents) -> pd.DataFrame:
    """The rows of a file of runs, once they are what its metadata say; `StoreError` otherwise."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise StoreError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    with duckdb.connect() as connection:
        try:
            query = verified(connection, path, told)
            return connection.execute(query).df()
        except duckdb.Error as error:
            raise StoreError(f"{path}: not readable: {str(error).partition(chr(10))[0]}") from None


def restore(connection: DuckDBPyConnection, path: Path, told: Contents, runs: tuple[RunRecord, ...]) -> None:
    """Enter some of the file's runs into an open store, as they were; part of the caller's transaction."""
    names = ", ".join(RunRecord.__dataclass_fields__)
    marks = ", ".join("?" * len(RunRecord.__dataclass_fields__))
    for run in runs:
        connection.execute(f"insert into runs ({names}) values ({marks})", list(asdict(run).values()))
    columns = ", ".join(f'"{name}"' for name in PREDICTION_COLUMNS)
    wanted = ", ".join(literal(run.run_id) for run in runs)
    checked = verified(connection, path, told)
    connection.execute(
        f"insert into predictions ({columns}) select {columns} from ({checked}) where run_id in ({wanted})"
    )


def rows_in(path: Path) -> str:
    """The query of a file's rows."""
    return f"select {ROWS} from read_parquet({literal(str(path))})"


def verified(connection: DuckDBPyConnection, path: Path, told: Contents) -> str:
    """The query of a file's rows in their order, once its columns and their hash are those that were exported."""
    described = connection.execute(f"describe from read_parquet({literal(str(path))})").fetchall()
    types = {str(name): str(kind) for name, kind, *_ in described}
    if types != TYPES:
        wrong = sorted(set(types.items()) ^ set(TYPES.items()))
        raise StoreError(f"{path}: column {wrong[0][0]!r} is not as exported; export the run again")
    ordered = f"{rows_in(path)} order by run_id, example_id"
    digest, n = _hash(connection, ordered)
    if (digest, n) != (told.rows_sha256, told.n):
        raise StoreError(
            f"{path} was changed: it has {n:,} rows with sha256 {digest[:16]}..., and {told.n:,} with "
            f"{told.rows_sha256[:16]}... were exported; take the committed file, or export the run again"
        )
    return ordered


def _hash(connection: DuckDBPyConnection, query: str) -> tuple[str, int]:
    found = connection.execute(HASH.format(rows=query)).fetchone()
    return ("", 0) if found is None or found[0] is None else (str(found[0]), int(found[1]))

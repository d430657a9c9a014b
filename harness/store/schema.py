"""The tables, as numbered migrations. A number, once released, never changes.

There are primary keys and no other index: in DuckDB 1.5 a secondary index silently loses rows
after a crash, and none is needed at ten million rows.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

import duckdb

from harness.errors import StoreError
from harness.ground.ids import item_set_id
from harness.store import crediting, macros, statements, transactions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from duckdb import DuckDBPyConnection

    from harness.types import Purpose

VIEW = """
create view scored as
    select r.dataset, r.split, r.arm, r.model, r.purpose, p.*, e.text, e.tags, e.gold, e."group",
           -- A failed call is no answer, so it is neither right nor wrong; nor is any answer of a kind of degrees.
           case when d.is_binary then p.credit = 1 end as correct
    from predictions p
    join runs r using (run_id)
    join datasets d using (dataset_id)
    join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id;
"""

TABLES = """
create table datasets (
    dataset_id text primary key, name text, version text, kind text, description text,
    labels json, source json, n integer, added_at timestamptz
);
create table examples (
    dataset_id text, example_id text, split text, text text, tags text[], fields json, gold text,
    "group" text, primary key (dataset_id, example_id)
);
create table prompts (
    id text primary key, task text, version text, content text, added_at timestamptz
);
create table runs (
    run_id text primary key, dataset_id text, dataset text, split text, arm text, arm_id text, model text,
    params json, seed integer, n_train integer, repeat integer, item_set text, status text,
    started_at timestamptz, finished_at timestamptz, wall_s double, fit_s double, n integer,
    content_hash text, code_version text, prices_as_of text, tag text
);
create table predictions (
    run_id text, example_id text, outcome text, label text, score double, scores json, raw text, error text,
    input_fresh integer, cache_read integer, cache_write integer, output_visible integer, reasoning integer,
    cost_usd double, billed_usd double, latency_s double, cached boolean, attempts integer, request_id text,
    path text[], primary key (run_id, example_id)
);
create table looks (run_id text primary key, dataset_id text, split text, looked_at timestamptz);
"""

WAITING = """
drop view if exists scored; -- made anew at the end
alter table predictions add column waited_s double; -- the queue, failed attempts and pauses; not part of the latency
alter table runs add column limits json; -- how many calls were under way at once, and why that changed
"""

FOUND = """
drop view if exists scored;
alter table runs add column batch_latency_s double; -- per item when many are asked at once
alter table runs add column facts json; -- what an arm found out when it was fitted and measured
"""


def _purposes(connection: DuckDBPyConnection) -> None:
    connection.execute("drop view if exists scored")
    connection.execute("alter table runs add column purpose text")  # what a run was made for: see types.Purpose
    connection.execute("alter table runs add column n_failed integer")  # of its n rows, those without a reply
    complete_runs(connection)


def complete_runs(connection: DuckDBPyConnection) -> None:
    """Give the runs that were stored before there were purposes theirs, and count their failed items."""
    runs = connection.execute(
        "select run_id, dataset_id, split, item_set, params::text, status from runs where purpose is null"
    ).fetchall()
    if not runs:
        return
    whole = {
        (dataset_id, split): item_set_id(ids)
        for dataset_id, split, ids in connection.execute(
            "select dataset_id, split, list(example_id) from examples where dataset_id in "
            "(select dataset_id from runs where purpose is null) group by all"
        ).fetchall()
    }
    connection.executemany(
        "update runs set purpose = ? where run_id = ?",
        [
            [
                purpose_of(json.loads(params or "{}"), status, is_whole=item_set == whole.get((dataset_id, split))),
                run_id,
            ]
            for run_id, dataset_id, split, item_set, params, status in runs
        ],
    )
    connection.execute(
        "update runs set n_failed = (select count(*) from predictions p where p.run_id = runs.run_id "
        "and p.outcome = 'failed') where n is not null and n_failed is null"
    )


def _credits(connection: DuckDBPyConnection) -> None:
    connection.execute("drop view if exists scored")
    connection.execute("alter table predictions add column credit double")  # what the answer is worth: see crediting
    connection.execute("alter table datasets add column is_binary boolean")  # whether an answer is right or wrong
    connection.execute(VIEW)
    crediting.complete(connection)


def purpose_of(params: Mapping[str, object], status: str, *, is_whole: bool) -> Purpose:
    """What a run of an older harness was made for, as far as its record tells."""
    if "training_part" in params:
        return "part"
    if not is_whole and status != "missing items":  # predictions from elsewhere were for the whole split
        return "limited"
    if status == "decided early":
        return "limited"
    return "fold" if "folds" in params else "whole"


MIGRATIONS: tuple[str | Callable[[DuckDBPyConnection], None], ...] = (
    TABLES,
    WAITING,
    FOUND,
    _purposes,
    _credits,
    macros.TABLE,
)
NEWEST = len(MIGRATIONS)
LAYOUT = "alter table predictions set partitioned by (run_id)"  # in a lake, the files of a run are its own
KEY = re.compile(r",\s*primary key \([^)]*\)|\s+primary key")  # a lake has none


def version(connection: DuckDBPyConnection) -> int:
    """How many migrations a store has seen; 0 for an empty file."""
    try:  # asked of the table itself: looking through the catalogue first takes as long as opening the file
        found = connection.execute("select coalesce(max(version), 0) from schema_versions").fetchone()
    except duckdb.CatalogException:
        return 0
    return int(found[0]) if found else 0


def check(connection: DuckDBPyConnection, path: object) -> int:
    """The store's version; `StoreError` when a newer harness has written it."""
    found = version(connection)
    if found > NEWEST:
        raise StoreError(
            f"{path} was written by a newer harness (schema {found}, this one knows {NEWEST}); "
            "upgrade harness, or choose another store with --db"
        )
    return found


def upgrade(connection: DuckDBPyConnection, path: object) -> None:
    """Apply the migrations that are missing, each in a transaction with its record, then what follows from them."""
    before = check(connection, path)
    for number in range(before + 1, NEWEST + 1):
        transactions.done(connection, partial(_apply, number))
    if before < NEWEST:
        transactions.done(connection, _complete)


def _apply(number: int, connection: DuckDBPyConnection) -> None:
    """A migration, and its record."""
    with_keys = statements.has_keys(connection)
    create = "create table if not exists schema_versions (version integer primary key);"
    for change in (create, MIGRATIONS[number - 1]):
        if isinstance(change, str):
            connection.execute(change if with_keys else KEY.sub("", change))
            if change is TABLES and not with_keys:
                connection.execute(LAYOUT)
        else:
            change(connection)
    connection.execute("insert into schema_versions values (?)", [number])


def _complete(connection: DuckDBPyConnection) -> None:
    macros.create(connection)
    macros.enter(connection)

"""The longer statements that the store sends to its database; values are bound, never written in."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from harness.store.rows import BUCKETS
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from duckdb import DuckDBPyConnection


def literal(text: str) -> str:
    """A text as SQL writes it, for the few statements that take no bound values."""
    return "'" + text.replace("'", "''") + "'"


def literals(texts: Sequence[str]) -> str:
    """A list of texts as SQL writes it."""
    return f"({', '.join(map(literal, texts))})"


ROW_CONTENT = """
    select concat_ws(chr(31), example_id, outcome, coalesce(label, ''),
        coalesce(format('{:.9g}', score), ''), coalesce(raw, ''), coalesce(error, ''),
        coalesce(format('{:.9g}', cost_usd), ''), coalesce(format('{:.9g}', latency_s), ''))
"""
BATCH = 10_000
REPLIED = "outcome <> 'failed'"
ANALYSED = """
    select run_id, arm, example_id, "group", gold, outcome, label, score, credit, cost_usd, billed_usd, latency_s,
        known[gold] as gold_score, list_sum(list_transform(map_values(known), lambda x: x * x)) as squares,
        list_sum(map_values(known)) as total, cardinality(known) as named,
        path[-1] as answered_by, cached, attempts, input_fresh, cache_read, cache_write, output_visible, reasoning,
        case when credit = 1 then null else text end as text, case when credit = 1 then null else tags end as tags,
        case when credit = 1 then null else raw end as raw, error
    from (
        select p.*, r.arm, e.text, e.tags, e.gold, e."group", cast(scores as map(varchar, double)) as known
        from (select * from predictions where {looked_at}) p join runs r using (run_id)
            join (select * from examples where {looked_at}) e
            on e.dataset_id = r.dataset_id and e.example_id = p.example_id)
    where run_id in (select unnest($1)) and ($2 or gold is not null) order by run_id, example_id
"""
OUTCOMES = ", ".join(f"count(*) filter (outcome = '{one.value}') as {one.value}" for one in Outcome)
KNOWN_SUMS = ", ".join(
    f"if(count({one}) filter ({REPLIED}) = count(*) filter ({REPLIED}), sum({one}) filter ({REPLIED}), null) as {one}"
    for one in ("cost_usd", "billed_usd")
)
TOKENS = ", ".join(f"sum({one}) filter ({REPLIED}) as {one}" for one in BUCKETS)
TOTALS = f"""
    select run_id, count(*) as n, {OUTCOMES}, {KNOWN_SUMS}, {TOKENS},
        quantile_cont(latency_s, [0.5, 0.95, 0.99]) filter ({REPLIED}) as latency_s,
        count(latency_s) filter ({REPLIED}) as latency_n, count(*) filter (cached) as from_ledger,
        coalesce(sum(attempts) filter (not coalesce(cached, false)), 0) as sent,
        coalesce(sum(greatest(attempts - 1, 0)) filter (not coalesce(cached, false)), 0) as retried
    from predictions where run_id in (select unnest($1)) and {{among}} group by run_id
"""
LEADS = """
    select l.item_set <> '' and l.status = 'done' and l.purpose = 'whole'
        and (select bool_and(r.item_set = l.item_set) from runs r where r.run_id in (select unnest($1)))
        and not exists (select 1 from examples e where e.gold is null and e.dataset_id = l.dataset_id) as is_simple
    from runs l where l.run_id = $2
"""
"""Whether runs have no items but those of the leading one, all labelled: then nobody need look at them one by one."""
LED = """
    example_id in (select example_id from predictions where run_id = $2) and example_id in (
        select example_id from examples
        where gold is not null and dataset_id = (select dataset_id from runs where run_id = $2))
"""
GUESSED = """
    select run_id, p.example_id, outcome, label, score, e.gold, e."group", e.text
    from predictions p join runs r using (run_id)
        join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id
    where run_id in (select unnest($1)) order by run_id, example_id
"""
SET_SIZES = """
    with asked as (select unnest($1) as run_id, unnest($2)::double as threshold)
    select run_id, example_id,
        len(list_filter(map_values(cast(scores as map(varchar, double))), lambda x: x >= threshold)) as size
    from asked join predictions using (run_id) where {looked_at}
"""
ITEMS = """
    select example_id, "group", row_number() over (order by dataset_id, example_id) - 1 as item
    from examples where gold is not null
        and dataset_id in (select dataset_id from runs where run_id in (select unnest($1))) and {looked_at}
    order by item
"""
SCORES = f"""
    with asked as (select unnest($1) as run_id, unnest($2)::integer as arm),
    items as ({ITEMS.replace('"group"', "dataset_id")})
    select asked.arm, items.item::integer as item, p.label is not null as answered, coalesce(p.credit, 'nan') as score
    from asked join runs using (run_id) join (select * from predictions where {{looked_at}}) p using (run_id)
        join items on items.dataset_id = runs.dataset_id and items.example_id = p.example_id
"""
LOOKING = "coalesce(r.params ->> '$.shard.run_id', r.run_id)"
"""The run under whose id a look is entered: all shards of a run, and the run that they are merged to, are one look."""
LOOK = f"""
    select {LOOKING} as run_id, dataset_id, split, ?::timestamptz as looked_at from runs r where r.run_id = ? and (
        r.purpose is distinct from 'part' or not exists (
            select 1 from looks join runs other using (run_id) where other.arm_id = r.arm_id
            and other.split = r.split and other.dataset_id = r.dataset_id and other.purpose = 'part'))
"""
LOOKS = "select count(*) from looks where dataset_id = ? and split = ?"
LOOKED = f"""
    select {LOOKING} as run_id, dataset_id, split, ?::timestamptz as looked_at from runs r where r.run_id = ?
"""
LOOK_COLUMNS = ("run_id", "dataset_id", "split", "looked_at")
KEYS = {
    "datasets": ("dataset_id",),
    "examples": ("dataset_id", "example_id"),
    "prompts": ("id",),
    "runs": ("run_id",),
    "predictions": ("run_id", "example_id"),
    "looks": ("run_id",),
    "members": ("run_id",),
    "schema_versions": ("version",),
}
"""What tells the rows of a table apart: a primary key, where the database has such a thing."""


def done(connection: DuckDBPyConnection, run_id: str) -> set[str]:
    """The ids of the items of a run that have an answer; a failed call is none."""
    query = "select example_id from predictions where run_id = ? and outcome <> 'failed'"
    return {row[0] for row in connection.execute(query, [run_id]).fetchall()}


def insert_new(
    connection: DuckDBPyConnection,
    table: str,
    columns: Sequence[str],
    select: str,
    values: Sequence[object] = (),
    run_ids: Sequence[str] = (),
) -> None:
    """Insert the rows of a query that are not there yet; those that are stay. `columns` are the query's, by name.

    A database without keys is looked through for the rows: for those of some runs, where `run_ids` says whose all are.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    if has_keys(connection):
        connection.execute(f"insert into {table} ({names}) {select} on conflict do nothing", list(values))
        return
    keys = KEYS[table]
    same = [f't."{key}" = n."{key}"' for key in keys]
    if run_ids:
        same.append(f"t.run_id in {literals(run_ids)}")
    connection.execute(
        f"insert into {table} ({names}) select distinct on ({', '.join(keys)}) {names} from ({select}) n "
        f"where not exists (select 1 from {table} t where {' and '.join(same)})",
        list(values),
    )


def has_keys(connection: DuckDBPyConnection) -> bool:
    """Whether the database sees to it that there is one row to a key; a lake does not."""
    found = connection.execute("select type from duckdb_databases() where database_name = current_database()")
    return found.fetchone() == ("duckdb",)


def insert_frame(connection: DuckDBPyConnection, table: str, frame: pd.DataFrame, run_ids: Sequence[str] = ()) -> None:
    """Insert a frame's rows; those that are there stay."""
    names = ", ".join(f'"{name}"' for name in frame.columns)
    connection.register("incoming", frame)
    insert_new(connection, table, list(frame.columns), f"select {names} from incoming", run_ids=run_ids)
    connection.unregister("incoming")


def insert_row(connection: DuckDBPyConnection, table: str, row: Mapping[str, object]) -> None:
    """Insert one row; one of its key that is there stays."""
    select = "select " + ", ".join(f'? as "{name}"' for name in row)
    insert_new(connection, table, list(row), select, list(row.values()))


def content(connection: DuckDBPyConnection, run_id: str, where: str = "") -> tuple[str | None, int]:
    """The hash of a run's rows, and how many they are; `where` names another database than the open one."""
    return content_of(connection, f"{where}.predictions" if where else "predictions", run_id)


def content_of(connection: DuckDBPyConnection, rows: str, run_id: str) -> tuple[str | None, int]:
    """The hash of a run's rows in the order of their items, and how many; a batch of them is in memory at once.

    It is the SHA-256 of the texts of the rows with chr(30) between them; None of no rows. `rows` is their table.
    """
    result = connection.execute(f"{ROW_CONTENT} from {rows} where run_id = ? order by example_id", [run_id])
    digest, n = sha256(), 0
    while batch := result.fetchmany(BATCH):
        text = "\x1e".join(row for (row,) in batch)
        digest.update((f"\x1e{text}" if n else text).encode())
        n += len(batch)
    return (digest.hexdigest() if n else None), n

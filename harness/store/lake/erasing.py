"""Taking a person's items out of a lake: the rows go, every older snapshot is given up, and the files behind them too.

The catalogue knows the least and the greatest value of every column, which may be a person's text: it is told anew.
Whoever is interrupted starts again and comes to the same end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.store import erasing, macros
from harness.store.lake.attaching import ALIAS

if TYPE_CHECKING:
    from collections import Counter

    import pandas as pd
    from duckdb import DuckDBPyConnection

    from harness.store.erasing import Erasure

SAME = "update {table} set {sets} from incoming c where c.number = {table}.rowid"
RENAMED = ("datasets", "examples", "runs", "looks", "members")


def counted(erasure: Erasure, connection: DuckDBPyConnection) -> Counter[str]:
    """How many items, predictions and other texts would go."""
    erasing.note(connection, erasure)
    return erasing.counted(connection, erasing.changes(connection, erasure.traces, ALIAS), ALIAS)


def taken_out(erasure: Erasure, connection: DuckDBPyConnection) -> Counter[str]:
    """How many went: they are gone from the newest snapshot, and from no older one yet."""
    erasing.note(connection, erasure)
    changed = erasing.changes(connection, erasure.traces, ALIAS)
    counts = erasing.counted(connection, changed, ALIAS)
    before = _items_of(connection, _runs(connection, changed["predictions"]))
    for table, frame in changed.items():
        _rewrite(connection, table, frame)
    for table in ("predictions", "examples"):
        connection.execute(f"delete from {ALIAS}.{table} t where not ({erasing.left(f'{ALIAS}.{table}')})")
    for run_id, items in before.items():
        erasing.settle_run(connection, run_id, items, _items_of(connection, [run_id])[run_id])
    for table in RENAMED:
        _rename(connection, table)
    connection.execute(
        "update datasets set n = (select count(*) from examples e where e.dataset_id = datasets.dataset_id)"
    )
    macros.enter(connection)
    return counts


def _runs(connection: DuckDBPyConnection, changed: pd.DataFrame) -> list[str]:
    """The runs of which rows go, or say other things afterwards."""
    query = (
        f"select distinct run_id from {ALIAS}.predictions t where not ({erasing.left(f'{ALIAS}.predictions')}) "
        "or rowid in (select unnest(?)) order by 1"
    )
    return [row[0] for row in connection.execute(query, [changed["number"].tolist()]).fetchall()]


def _items_of(connection: DuckDBPyConnection, run_ids: list[str]) -> dict[str, list[str]]:
    query = "select example_id from predictions where run_id = ?"
    return {run_id: [row[0] for row in connection.execute(query, [run_id]).fetchall()] for run_id in run_ids}


def _rewrite(connection: DuckDBPyConnection, table: str, rows: pd.DataFrame) -> None:
    if not len(rows):
        return
    sets = ", ".join(f'"{name}" = c."{name}"' for name in rows.columns if name != "number")
    connection.register("incoming", rows)
    connection.execute(SAME.format(table=table, sets=sets))
    connection.unregister("incoming")


def _rename(connection: DuckDBPyConnection, table: str) -> None:
    """Give the rows of datasets whose content changed their new name; one that is there already stays."""
    if table in ("datasets", "examples"):
        same = " and o.example_id = t.example_id" if table == "examples" else ""
        connection.execute(
            f"delete from {table} t where exists (select 1 from renamed r join {table} o on o.dataset_id = r.new "
            f"where r.old = t.dataset_id{same})"
        )
    connection.execute(
        f"update {table} set dataset_id = r.new from renamed r where r.old = {table}.dataset_id and r.old <> r.new"
    )

"""Giving up a lake's older snapshots: their files go from the data folder, their values from the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.store.lake.attaching import ALIAS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from harness.store.lake.leases import Leases

CALLS = (
    f"call ducklake_flush_inlined_data('{ALIAS}')",  # rows of small changes lie in the catalogue till then
    f"call ducklake_rewrite_data_files('{ALIAS}', delete_threshold => 0)",
    f"call ducklake_merge_adjacent_files('{ALIAS}')",
    f"call ducklake_expire_snapshots('{ALIAS}', older_than => now())",
    f"call ducklake_cleanup_old_files('{ALIAS}', cleanup_all => true)",
    f"call ducklake_delete_orphaned_files('{ALIAS}', cleanup_all => true)",
)
# PostgreSQL leaves deleted rows in its files, as DuckDB does, until the table is written anew.
EMPTIED = """
    select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
    where schemaname = 'public'
        and tablename similar to 'ducklake_(inlined_data|file_column_stats|table_column_stats)%%'
"""


def expire(connection: DuckDBPyConnection, leases: Leases) -> None:
    """Leave nothing but the newest snapshot. Nobody else may write meanwhile: the caller holds the lease of the whole.

    Done again from the start it comes to the same end.
    """
    for call in CALLS:
        connection.execute(call)
    for (table,) in leases.ask(EMPTIED):
        leases.ask(f"vacuum full {table}")

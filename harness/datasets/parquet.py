"""Parquet files as rows, read by DuckDB's own reader a batch at a time, within limits on what they unpack to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.datasets.tables import Row

BATCH = 64  # of cells that may each be long
MAX_CELL_CHARS = 1_048_576
MAX_UNPACKED_BYTES = 4 * 1024**3
MEMORY = "1GB"


def read(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file; whole numbers become text, lists of texts stay lists."""
    with duckdb.connect(config={"memory_limit": MEMORY, "threads": 1}) as connection:
        try:
            _check_size(connection, path)
            connection.execute("select * from read_parquet(?)", [str(path)])
            columns = [column[0] for column in connection.description or ()]
            number, unpacked = 0, 0
            while batch := connection.fetchmany(BATCH):
                for cells in batch:
                    number += 1
                    where = f"{path}: row {number}"
                    row = dict(zip(columns, map(_cell, cells), strict=True))
                    unpacked += sum(_length(cell, where) for cell in row.values())
                    _check_unpacked(unpacked, path)
                    yield where, row
        except duckdb.Error as error:
            raise DatasetError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from None


def _check_size(connection: DuckDBPyConnection, path: Path) -> None:
    """Refuse a file that says itself that it unpacks to more than is read."""
    query = "select coalesce(sum(total_uncompressed_size), 0) from parquet_metadata(?)"
    found = connection.execute(query, [str(path)]).fetchone()
    _check_unpacked(int(found[0]) if found else 0, path)


def _check_unpacked(n: int, path: Path) -> None:
    if n > MAX_UNPACKED_BYTES:
        raise DatasetError(f"{path}: unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; give a part of it")


def _cell(value: object) -> str | list[str] | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [str(part) for part in value]
    return str(value)


def _length(cell: str | list[str] | None, where: str) -> int:
    length = len(cell) if isinstance(cell, str) else sum(map(len, cell or ()))
    if length > MAX_CELL_CHARS:
        raise DatasetError(f"{where}: a cell is longer than {MAX_CELL_CHARS:,} characters")
    return length

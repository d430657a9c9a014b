"""Parquet files as rows, read by DuckDB's own reader a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.datasets.tables import Row

BATCH = 2048


def read(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file; whole numbers become text, lists of texts stay lists."""
    with duckdb.connect() as connection:
        try:
            connection.execute("select * from read_parquet(?)", [str(path)])
            columns = [column[0] for column in connection.description or ()]
            number = 0
            while batch := connection.fetchmany(BATCH):
                for cells in batch:
                    number += 1
                    yield f"{path}: row {number}", dict(zip(columns, map(_cell, cells), strict=True))
        except duckdb.Error as error:
            raise DatasetError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from None


def _cell(value: object) -> str | list[str] | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [str(part) for part in value]
    return str(value)

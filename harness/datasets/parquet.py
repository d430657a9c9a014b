"""Parquet files as rows, read by DuckDB's own reader a batch at a time, within limits on what they unpack to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb

from harness.datasets.cells import spelt
from harness.datasets.json_forms import class_names, with_names
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from harness.datasets.cells import Cell

    Row = tuple[str, dict[str, Cell]]

BATCH = 64  # of cells that may each be long
MAX_CELL_CHARS = 1_048_576
MAX_UNPACKED_BYTES = 4 * 1024**3
MEMORY = "1GB"
NUMBERS = ("score", "cost_usd")
"""How the names of those columns of answers end that are numbers."""


def read(path: Path) -> Iterator[Row]:
    """The rows of a person's Parquet file: values in one spelling, class numbers by the names that the file gives."""
    with _open() as connection:
        names = _class_names(connection, path)
        for where, row in _values(connection, path):
            named = with_names(row, names) if names else row
            cells = {column: spelt(value) for column, value in named.items()}
            _check_lengths(cells, where)
            yield where, cells


def released(path: Path) -> Iterator[Row]:
    """The rows of a released version: whole numbers become text, lists of texts stay lists."""
    with _open() as connection:
        for where, row in _values(connection, path):
            cells = {column: _cell(value) for column, value in row.items()}
            _check_lengths(cells, where)
            yield where, cells


def _open() -> DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": MEMORY, "threads": 1})


def _values(connection: DuckDBPyConnection, path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    try:
        _check_size(connection, path)
        connection.execute("select * from read_parquet(?)", [str(path)])
        columns = [column[0] for column in connection.description or ()]
        number, unpacked = 0, 0
        while batch := connection.fetchmany(BATCH):
            for values in batch:
                number += 1
                row = dict(zip(columns, values, strict=True))
                unpacked += sum(len(value) for value in values if isinstance(value, str | bytes | list))
                _check_unpacked(unpacked, path)
                yield f"{path}: row {number}", row
    except duckdb.Error as error:
        raise DatasetError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from None


def _class_names(connection: DuckDBPyConnection, path: Path) -> dict[str, list[str]]:
    """The names of classes that a hub's file keeps in its metadata, by column."""
    try:
        found = connection.execute(
            "select value from parquet_kv_metadata(?) where key = 'huggingface'", [str(path)]
        ).fetchone()
        described = json.loads(bytes(found[0])) if found else {}
        return class_names(described["info"]["features"]) if found else {}
    except duckdb.Error as error:
        raise DatasetError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}  # metadata of another make


def _check_size(connection: DuckDBPyConnection, path: Path) -> None:
    """Refuse a file that says itself that it unpacks to more than is read."""
    query = "select coalesce(sum(total_uncompressed_size), 0) from parquet_metadata(?)"
    found = connection.execute(query, [str(path)]).fetchone()
    _check_unpacked(int(found[0]) if found else 0, path)


def _check_unpacked(n: int, path: Path) -> None:
    if n > MAX_UNPACKED_BYTES:
        raise DatasetError(f"{path}: unpacks to more than {MAX_UNPACKED_BYTES:,} bytes; give a part of it")


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [str(part) for part in value]
    return str(value)


def _check_lengths(cells: dict[str, Cell], where: str) -> None:
    for cell in cells.values():
        length = len(cell) if isinstance(cell, str) else sum(map(len, cell or ()))
        if length > MAX_CELL_CHARS:
            raise DatasetError(f"{where}: a cell is longer than {MAX_CELL_CHARS:,} characters")


def as_they_are(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """The rows of a file of any size, their values as they are: dates, numbers, lists."""
    with _open() as connection:
        try:
            connection.execute("select * from read_parquet(?)", [str(path)])
            columns = [column[0] for column in connection.description or ()]
            number = 0
            while batch := connection.fetchmany(BATCH):
                for values in batch:
                    number += 1
                    yield f"{path}: row {number}", dict(zip(columns, values, strict=True))
        except duckdb.Error as error:
            raise DatasetError(f"{path}: not readable as Parquet: {str(error).splitlines()[0]}") from None


def beside(source: Path, lines: Path, to: Path) -> None:
    """Write the rows of a Parquet file, types kept, with those of a file of answers (JSON lines) beside them."""
    answers = _answers(lines)
    _copy(f"select * from read_parquet({_quoted(source)}) positional join {answers}", to)


def of_lines(lines: Path, columns: Sequence[str], to: Path) -> None:
    """Write JSON lines as Parquet: the columns that are named are texts, those behind them are answers."""
    _copy(f"select * from {_answers(lines, columns)}", to)


def _answers(lines: Path, columns: Sequence[str] = ()) -> str:
    with lines.open(encoding="utf-8") as file:
        names = list(json.loads(file.readline() or "{}"))
    kinds = {name: "double" if name.endswith(NUMBERS) and name not in columns else "varchar" for name in names}
    told = ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in kinds.items())
    return f"read_json({_quoted(lines)}, format = 'newline_delimited', columns = {{{told}}})"


def _copy(query: str, to: Path) -> None:
    with _open() as connection:
        try:
            connection.execute(f"copy ({query}) to {_quoted(to)} (format parquet)")
        except duckdb.Error as error:
            raise DatasetError(f"{to}: cannot be written as Parquet: {str(error).splitlines()[0]}") from None


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"

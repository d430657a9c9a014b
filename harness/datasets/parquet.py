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
SORTED = "600MB"  # what a sort of millions of rows needs beyond it goes to the disk
NUMBERS = ("score", "cost_usd")
"""How the names of those columns of answers end that are numbers."""
ROW = "row"
"""How the name of the column ends that counts the rows of the file that a part is of."""


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


def beside(source: Path, lines: Path, names: Sequence[str], to: Path, *, of_all: bool) -> None:
    """Write the rows of a Parquet file, types kept, with those of a file of answers (JSON lines) beside them.

    Where not all rows have an answer, the last of its `names` is that of the row's number, from 1.
    """
    if of_all:
        _copy(f"select * from read_parquet({_quoted(source)}) positional join {_answers(lines, (), names)}", to)
        return
    index = _name(names[-1])
    _copy(
        f"select s.* exclude (file_row_number), a.* from read_parquet({_quoted(source)}, file_row_number = true) s "
        f"join {_answers(lines, (), names)} a on s.file_row_number + 1 = a.{index} order by s.file_row_number",
        to,
    )


def of_lines(lines: Path, columns: Sequence[str], names: Sequence[str], to: Path) -> None:
    """Write JSON lines as Parquet: the columns that are named are texts, those behind them are answers."""
    _copy(f"select * from {_answers(lines, columns, names)}", to)


def merged(parts: Sequence[Path], index: str, rows: int, to: Path) -> None:
    """Write the rows of several files in the order of their numbers, without these.

    `DatasetError` unless they are the numbers from 1 to `rows`, each once.
    """
    source = f"read_parquet([{', '.join(map(_quoted, parts))}])"
    with _open() as connection:
        query = f"select count(*), count(distinct {_name(index)}), max({_name(index)}) from {source}"
        found = connection.execute(query).fetchone()
    if found is None or (found[0], found[1], found[2] or 0) != (rows, rows, rows):
        raise DatasetError(f"{to}: the parts have not each of the {rows:,} rows once; label them again")
    _copy(f"select * exclude ({_name(index)}) from {source} order by {_name(index)}", to)


def _answers(lines: Path, columns: Sequence[str], names: Sequence[str]) -> str:
    kinds = {name: "varchar" for name in columns} | {name: _kind(name) for name in names}
    told = ", ".join(f"{_quoted(name)}: {_quoted(kind)}" for name, kind in kinds.items())
    return f"read_json({_quoted(lines)}, format = 'newline_delimited', columns = {{{told}}})"


def _copy(query: str, to: Path) -> None:
    with _open() as connection:
        try:
            connection.execute(f"set memory_limit = '{SORTED}'")
            connection.execute(f"set temp_directory = {_quoted(to.with_name(f'{to.name}.spilt'))}")
            connection.execute(f"copy ({query}) to {_quoted(to)} (format parquet)")
        except duckdb.Error as error:
            raise DatasetError(f"{to}: cannot be written as Parquet: {str(error).splitlines()[0]}") from None


def _kind(name: str) -> str:
    return "double" if name.endswith(NUMBERS) else "bigint" if name.endswith(ROW) else "varchar"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"

"""Files of rows, read one row at a time: CSV, TSV, JSONL and Parquet. Every error names file and line.

Cells come out as text (a list of texts where the file holds a list); nothing is interpreted,
stripped or repaired here.
"""

from __future__ import annotations

import csv
import json
from importlib import import_module
from typing import TYPE_CHECKING

from harness.errors import DatasetError, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Cell = str | list[str] | None
Row = tuple[str, dict[str, Cell]]
"""Where the row stands (`file:line`), and its cells by column."""

MAX_CELL_CHARS = 1_048_576
MAX_FILE_BYTES = 2 * 1024**3
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read(path: Path) -> Iterator[Row]:
    """The rows of a file, by its ending; `DatasetError` names file and line."""
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DatasetError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return _delimited(path, "\t" if suffix == ".tsv" else ",")
    if suffix in (".jsonl", ".ndjson"):
        return _json_lines(path)
    if suffix == ".parquet":
        # Imported when it is needed: it loads a database engine.
        rows: Iterator[Row] = import_module("harness.datasets.parquet").read(path)
        return rows
    raise DatasetError(f"{path}: the ending says no format; {one_of(suffix, FORMATS)}")


def _delimited(path: Path, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL_CHARS)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next(reader, None)
            if not header:
                raise DatasetError(f"{path}: the file is empty; expected a header line")
            _check_header(header, path)
            start = reader.line_num + 1
            for cells in reader:
                if cells:
                    yield f"{path}:{start}", _checked(header, cells, f"{path}:{start}")
                start = reader.line_num + 1
        except csv.Error as error:
            where = f"{path}:{reader.line_num}"
            raise DatasetError(f"{where}: {error}; expected CSV with doubled quotes") from None
        except UnicodeDecodeError:
            raise _not_utf8(path) from None


def _check_header(header: list[str], path: Path) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DatasetError(f"{path}:1: the header names {twice[0]!r} twice")
    if any("\x00" in name for name in header):
        raise DatasetError(f"{path}:1: the header holds a NUL byte; is this a text file?")


def _checked(header: list[str], cells: list[str], where: str) -> dict[str, Cell]:
    if len(cells) != len(header):
        raise DatasetError(f"{where}: {len(cells)} cells; the header has {len(header)} columns")
    if any("\x00" in cell for cell in cells):
        raise DatasetError(f"{where}: a cell holds a NUL byte; is this a text file?")
    return dict(zip(header, cells, strict=True))


def _json_lines(path: Path) -> Iterator[Row]:
    limit = 4 * MAX_CELL_CHARS
    with path.open("rb") as file:
        number = 0
        while line := file.readline(limit + 1):
            number += 1
            where = f"{path}:{number}"
            if len(line) > limit:
                raise DatasetError(f"{where}: the line is longer than {limit:,} bytes")
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield where, _json_row(line, where)


def _json_row(line: bytes, where: str) -> dict[str, Cell]:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{where}: byte {error.start + 1} of the line is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: found a JSON {type(value).__name__}; expected an object")
    return {str(name): _cell(cell) for name, cell in value.items()}


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    # A float or a truth value has several spellings, and a label is one text exactly.
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _not_utf8(path: Path) -> DatasetError:
    offset, number = 0, 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):  # noqa: B007  (the number is used after the loop)
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                offset += error.start
                break
            offset += len(line)
    return DatasetError(
        f"{path}:{number}: byte {offset} of the file is not UTF-8; convert it first, "
        f"for example: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8-{path.name}"
    )

"""Files of rows, read one row at a time: CSV, TSV, JSONL and Parquet. Every error names file and line.

Cells come out as text (a list of texts where the file holds a list); nothing is interpreted,
stripped or repaired here. Whatever a file holds, no more than a line of it is in memory.
"""

from __future__ import annotations

import csv
import json
from importlib import import_module
from typing import TYPE_CHECKING

from harness.datasets import encodings
from harness.errors import DatasetError, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Cell = str | list[str] | None
Row = tuple[str, dict[str, Cell]]
"""Where the row stands (`file:line`), and its cells by column."""

MAX_CELL_CHARS = 1_048_576
MAX_LINE_CHARS = 4 * MAX_CELL_CHARS
MAX_FILE_BYTES = 2 * 1024**3
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def read(path: Path, encoding: str | None = None) -> Iterator[Row]:
    """The rows of a file, by its ending; `DatasetError` names file and line.

    Without `encoding` text is UTF-8, or what the file's first bytes declare.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DatasetError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
    suffix = path.suffix.lower()
    encodings.refuse_other_formats(path)
    if suffix in (".csv", ".tsv"):
        return _delimited(path, "\t" if suffix == ".tsv" else ",", encoding)
    if suffix in (".jsonl", ".ndjson"):
        return _json_lines(path, encoding)
    if suffix == ".parquet":
        # Imported when it is needed: it loads a database engine.
        rows: Iterator[Row] = import_module("harness.datasets.parquet").read(path)
        return rows
    raise DatasetError(f"{path}: the ending says no format; {one_of(suffix, FORMATS)}")


def _lines(path: Path, encoding: str | None) -> Iterator[str]:
    """The lines of a text file with their ends, none longer than it may be."""
    number, name = 0, encoding or encodings.declared(path)
    with path.open(encoding=name, newline="") as file:
        try:
            while line := file.readline(MAX_LINE_CHARS + 1):
                number += 1
                if len(line) > MAX_LINE_CHARS:
                    raise DatasetError(f"{path}:{number}: the line is longer than {MAX_LINE_CHARS:,} characters")
                if "\x00" in line:
                    raise DatasetError(f"{path}:{number}: {encodings.NUL}")
                yield line
        except UnicodeError:
            raise encodings.undecodable(path, name) from None


def _delimited(path: Path, delimiter: str, encoding: str | None) -> Iterator[Row]:
    csv.field_size_limit(MAX_CELL_CHARS)
    reader = csv.reader(_lines(path, encoding), delimiter=delimiter, strict=True)
    start = 1
    try:
        header = next(reader, None)
        if not header:
            raise DatasetError(f"{path}: the file is empty; expected a header line")
        _check_header(header, path)
        start = reader.line_num + 1
        for cells in reader:
            if cells:
                if len(cells) != len(header):
                    raise DatasetError(f"{path}:{start}: {len(cells)} cells; the header has {len(header)} columns")
                yield f"{path}:{start}", dict(zip(header, cells, strict=True))
            start = reader.line_num + 1
    except csv.Error as error:
        if "field larger" in str(error):
            raise DatasetError(
                f"{path}:{start}: a cell is longer than {MAX_CELL_CHARS:,} characters; "
                "is there a quotation mark without its partner?"
            ) from None
        raise DatasetError(f"{path}:{start}: {error}; expected CSV with doubled quotes") from None


def _check_header(header: list[str], path: Path) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DatasetError(f"{path}:1: the header names {twice[0]!r} twice")


def _json_lines(path: Path, encoding: str | None) -> Iterator[Row]:
    for number, line in enumerate(_lines(path, encoding), start=1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, _json_row(line, where)


def _json_row(line: str, where: str) -> dict[str, Cell]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: not JSON: {error}") from None
    if "\\ud" in line.lower() and not _is_unicode(value):
        raise DatasetError(f"{where}: it holds half a character (a lone surrogate such as \\ud83d)")
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: found a JSON {type(value).__name__}; expected an object")
    return {str(name): _cell(cell) for name, cell in value.items()}


def _is_unicode(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    # A float or a truth value has several spellings, and a label is one text exactly.
    return json.dumps(value, ensure_ascii=False, sort_keys=True)

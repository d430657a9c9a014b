"""Text files, line by line: plain or gzip, within limits on a line and on the whole."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from harness.datasets import encodings
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX_CELL_CHARS = 1_048_576
MAX_LINE_CHARS = 4 * MAX_CELL_CHARS
MAX_FILE_BYTES = 2 * 1024**3
GZIP = ".gz"
JSON = (".jsonl", ".ndjson", ".json")
PIECE_CHARS = 1 << 18
PACKED_BADLY = (EOFError, zlib.error, gzip.BadGzipFile)


def ending(path: Path) -> str:
    """The ending that says the format, in small letters; of `rows.csv.gz` it is `.csv`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == GZIP:
        return suffixes[-2] if len(suffixes) > 1 else ""
    return suffixes[-1] if suffixes else ""


def names_place(path: Path, where: str) -> str:
    """Where a file names its columns: in its header, so the file, and of several sheets the sheet.

    A row of JSON names its own, at `where`.
    """
    if ending(path) in JSON:
        return where
    sheet, _, _ = where.removeprefix(f"{path}: sheet ").rpartition(", row ")
    return f"{path}: sheet {sheet}" if sheet and where.startswith(f"{path}: sheet ") else str(path)


def check(path: Path) -> None:
    """Raise `DatasetError` unless the file is there, and no larger than is read."""
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DatasetError(f"{path}: {path.stat().st_size:,} bytes; at most {MAX_FILE_BYTES:,} are read")


def lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    """The lines of a text file with their ends, none longer than it may be; gzip is unpacked on the way.

    Without `encoding` text is UTF-8, or what the first bytes declare. Raises `DatasetError`.
    """
    taken = _parts(path, encoding, lambda file: file.readline(MAX_LINE_CHARS + 1))
    for number, line in enumerate(taken, start=1):
        if len(line) > MAX_LINE_CHARS:
            raise DatasetError(f"{path}:{number}: the line is longer than {MAX_LINE_CHARS:,} characters")
        if "\x00" in line:
            raise DatasetError(f"{path}:{number}: {encodings.NUL}")
        yield line


def pieces(path: Path, encoding: str | None = None) -> Iterator[str]:
    """The text in pieces of one size, whatever its lines."""
    return _parts(path, encoding, lambda file: file.read(PIECE_CHARS))


def _parts(path: Path, encoding: str | None, take: Callable[[io.TextIOWrapper], str]) -> Iterator[str]:
    name, total = encoding or encodings.declared(head(path)), 0
    with _opened(path) as file, io.TextIOWrapper(file, encoding=name, newline="") as text:
        try:
            while part := take(text):
                total += len(part)
                if total > MAX_FILE_BYTES:
                    raise DatasetError(f"{path}: it holds more than {MAX_FILE_BYTES:,} characters; give a part of it")
                yield part
        except UnicodeError:
            raise encodings.undecodable(path, name, _opened) from None
        except PACKED_BADLY as error:
            raise DatasetError(f"{path}: it cannot be unpacked, is it cut off? {error}") from None


def head(path: Path, n: int = 16) -> bytes:
    """The first bytes of a file, of what a gzip file holds."""
    try:
        with _opened(path) as file:
            return file.read(n)
    except PACKED_BADLY as error:
        raise DatasetError(f"{path}: it cannot be unpacked, is it cut off? {error}") from None


def _opened(path: Path) -> BinaryIO:
    if path.suffix.lower() == GZIP:
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")

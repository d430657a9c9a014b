"""Which encoding a text file is in: declared by its first bytes, or UTF-8. Never guessed in silence.

A file in another encoding is an error that says how it would read, and which option to give.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from harness.datasets.problems import ImportProblem
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UTF8 = "utf-8"
OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"Rar!": "a RAR archive",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"PAR1": "a Parquet file",
    b"<!DOCTYPE html": "a web page",
    b"<!doctype html": "a web page",
    b"version https://": "a pointer of Git LFS",
}
MEANT = {b"PAR1": (".parquet",), b"PK\x03\x04": (".xlsx", ".xlsm"), b"\x1f\x8b": (".gz",)}
"""Which endings say that a file begins so."""
PAGE = "was a page to log in saved in the place of the file?"
WAYS_OUT = {
    b"\x1f\x8b": "one file packed with gzip is read when it is named so: rows.csv.gz",
    b"PK\x03\x04": "unpack it; an Excel file is read when it is named .xlsx",
    b"\xd0\xcf\x11\xe0": "save it as .xlsx or CSV",
    b"PAR1": "it is read when it is named .parquet",
    b"<!DOCTYPE html": PAGE,
    b"<!doctype html": PAGE,
    b"version https://": "fetch the file itself: git lfs pull",
}
WESTERN = "cp1252"
SHOWN = 12
IMPORT = "harness dataset import reads it as it is, with --encoding"
"""The one command that is told an encoding; every other reads UTF-8."""
NUL = f"it holds a NUL byte; is this a text file? If it is UTF-16 without a mark, save it as UTF-8; {IMPORT} utf-16-le"


def declared(head: bytes) -> str:
    """The encoding that a file's first bytes declare, by Python's name; UTF-8 when they declare none."""
    return next((name for mark, name in MARKS if head.startswith(mark)), UTF8)


def refuse_other_formats(path: Path) -> None:
    """Raise `DatasetError` for a file that is not what its ending says, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(16)
    for magic, what in OTHER_FORMATS.items():
        if head.startswith(magic) and path.suffix.lower() not in MEANT.get(magic, ()):
            way_out = WAYS_OUT.get(magic, "give a CSV, TSV, JSONL, JSON, Excel or Parquet file")
            packed = "; archives are not unpacked" if what.endswith("archive") else ""
            raise DatasetError(f"{path}: this is {what}{packed}: {way_out}")
    for magic, endings in MEANT.items():
        if path.suffix.lower() in endings and not head.startswith(magic):
            raise DatasetError(f"{path}: this is not {OTHER_FORMATS[magic]}, as its ending {path.suffix} says")


def checked(name: str) -> str:
    """The encoding, if Python knows it as a text encoding."""
    try:
        known = codecs.lookup(name)
        "".encode(name)
    except LookupError:
        raise DatasetError(f"--encoding {name!r} is not known; for example: utf-8, utf-16, cp1252, latin-1") from None
    return known.name


def undecodable(path: Path, name: str, opened: Callable[[Path], BinaryIO]) -> DatasetError:
    """The error about bytes that are not in the encoding: which line and byte, and how it would read in another."""
    if not name.startswith("utf-8"):
        return DatasetError(f"{path}: it is not {name} throughout; save it as UTF-8; {IMPORT} NAME")
    offset, number = 0, 0
    with opened(path) as file:
        while part := file.readline(1 << 20):
            try:
                codecs.getincrementaldecoder(UTF8)().decode(part, final=part.endswith(b"\n"))
            except UnicodeDecodeError as error:
                return _not_utf8(path, (number + 1, offset + error.start), part, error.start)
            number += part.endswith(b"\n")
            offset += len(part)
    return DatasetError(f"{path}: it ends inside a character of UTF-8; the file is cut off")


def _not_utf8(path: Path, place: tuple[int, int], line: bytes, at: int) -> DatasetError:
    around = line[max(0, at - SHOWN) : at + SHOWN]
    number, offset = place
    if b"\x00" in line:
        return DatasetError(f"{path}:{number}: {NUL}")
    found = f"{path}:{number}: byte {offset} of the file is not UTF-8"
    try:
        reads = around.decode(WESTERN).strip()
    except UnicodeDecodeError:
        reads = "\x00"
    if not reads.replace("\r", " ").replace("\n", " ").replace("\t", " ").isprintable():
        return DatasetError(f"{found}; is this a text file? If it is, save it as UTF-8; {IMPORT} NAME")
    said = (
        f"{found}; as {WESTERN} it reads {reads!r}: if that is right, save it as UTF-8 (iconv -f {WESTERN} -t utf-8); "
        f"{IMPORT} {WESTERN}"
    )
    return ImportProblem(said, {"encoding": WESTERN})

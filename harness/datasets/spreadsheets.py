"""Excel workbooks (.xlsx) as records: one sheet, read a row at a time.

Only what a table needs is read: texts, numbers, truth values and dates (ECMA-376 part 1, 18.3 to
18.9). A workbook is a ZIP archive of XML, and either may be hostile: every part has a limit on what
it unpacks to, no part declares entities, and only shared texts are held.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections import deque
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.parsers import expat

from harness.datasets.cells import spelt
from harness.datasets.notes import MERGED
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.datasets.cells import Cell
    from harness.datasets.notes import Notes

MAX_PART_BYTES = 1024**3
MAX_SHARED_CHARS = 256 * 1024**2
MAX_CELL_CHARS = 1_048_576
MAX_COLUMNS = 2_000
READ_BYTES = 1 << 16
DATES = frozenset({*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)})
"""The built-in number formats that show dates and times (18.8.30)."""
NOT_A_FORMAT = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
EPOCHS = {False: datetime(1899, 12, 30, tzinfo=UTC), True: datetime(1904, 1, 1, tzinfo=UTC)}
LAST_SERIAL = 2_958_466  # 10000-01-01


def read(path: Path, wanted: str | None, notes: Notes) -> Iterator[tuple[str, list[Cell]]]:
    """The records of a sheet; empty cells are None, dates are ISO 8601. Raises `DatasetError`.

    The sheet is the one that is wanted, by its name or its place; else the first visible one that holds a cell.
    """
    with _opened(path) as book:
        for name, part in book.sheets if wanted is None else [book.sheet(wanted)]:
            is_one_of_several = len(book.sheets) > 1 or wanted is not None
            records = _Sheet(book, notes, f"sheet {name!r}, " if is_one_of_several else "").records(part)
            first = next(records, None)
            if first is not None:
                if len(book.sheets) > 1 and wanted is None:
                    what = f"sheets, of which {name!r} was read; --sheet NAME takes another"
                    notes.add("noticed", what, str(path), n=len(book.sheets))
                yield first
                yield from records
                return


def names(path: Path) -> list[str]:
    """The names of the visible sheets; raises `DatasetError`."""
    with _opened(path) as book:
        return [name for name, _ in book.sheets]


@contextmanager
def _opened(path: Path) -> Iterator[_Workbook]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield _Workbook(archive, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DatasetError(f"{path}: not readable as an Excel workbook: {error}") from None


class _Workbook:
    """What holds for all sheets: their names and parts, the shared texts, which styles are dates."""

    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self.path = path
        self._archive = archive
        self._has_1904 = False
        self.sheets: list[tuple[str, str]] = []
        self._hidden: list[tuple[str, str]] = []
        self.shared: list[str] = []
        self.date_styles: set[int] = set()
        folder = "xl/"
        targets: dict[str, str] = {}

        def related(tag: str, given: Mapping[str, str]) -> None:
            if tag == "Relationship":
                targets[given.get("Id", "")] = posixpath.normpath(
                    posixpath.join("/" + folder, given.get("Target", ""))
                )[1:]

        def described(tag: str, given: Mapping[str, str]) -> None:
            if tag == "workbookPr":
                self._has_1904 = given.get("date1904") in ("1", "true")
            elif tag == "sheet":
                part = targets.get(given.get("r:id", given.get("id", "")))
                seen = self.sheets if given.get("state", "visible") == "visible" else self._hidden
                if part:
                    seen.append((given.get("name", ""), part))

        self._each("xl/_rels/workbook.xml.rels", related)
        self._each("xl/workbook.xml", described)
        self._read_styles()
        self._read_shared()

    def sheet(self, wanted: str) -> tuple[str, str]:
        """The sheet of this name, hidden ones too, or at this place among the visible ones, from 1; its part.

        Two names of a workbook differ by more than case. Raises `DatasetError` where there is no such sheet.
        """
        for name, part in (*self.sheets, *self._hidden):
            if name.strip().casefold() == wanted.strip().casefold():
                return name, part
        place = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 9 else 0
        if not 0 < place <= len(self.sheets):
            raise DatasetError(f"{self.path}: there is no sheet {wanted!r}; {self.expected}")
        return self.sheets[place - 1]

    @property
    def expected(self) -> str:
        """The names that can be given, as an error says them."""
        names = [repr(name) for name, _ in self.sheets] + [f"{name!r} (hidden)" for name, _ in self._hidden]
        return f"expected one of {', '.join(names)}, or a number from 1"

    def moment(self, serial: float) -> str:
        """The date, the time or both that a number of days is."""
        if not 0 <= serial < LAST_SERIAL:
            return str(serial)
        when = EPOCHS[self._has_1904] + timedelta(seconds=round(serial * 86_400))
        if serial < 1:
            return when.strftime("%H:%M:%S")
        return when.strftime("%Y-%m-%d" if float(serial).is_integer() else "%Y-%m-%dT%H:%M:%S")

    def parts(self, name: str) -> Iterator[bytes]:
        """The bytes of a part, up to a limit; none when the part is not there."""
        try:
            part = self._archive.getinfo(name)
        except KeyError:
            return
        size = 0
        with self._archive.open(part) as file:
            while piece := file.read(READ_BYTES):
                size += len(piece)
                if size > MAX_PART_BYTES:
                    raise DatasetError(f"{self.path}: {name} unpacks to more than {MAX_PART_BYTES:,} bytes")
                yield piece

    def feed(self, name: str, parser: expat.XMLParserType) -> Iterator[None]:
        """Parse a part, a piece at a time."""
        number = 0
        try:
            for number, piece in enumerate(self.parts(name), start=1):  # noqa: B007  (counted for the end)
                parser.Parse(piece, False)
                yield
            if number:
                parser.Parse(b"", True)
                yield
        except expat.ExpatError as error:
            raise DatasetError(f"{self.path}: {name} is not XML: {error}") from None

    def parser(self) -> expat.XMLParserType:
        """A parser that refuses what a workbook never has: declarations of its own entities."""
        parser = expat.ParserCreate()
        parser.buffer_text = True

        def refuse(*_: object) -> None:
            raise DatasetError(f"{self.path}: its XML declares a document type, which no workbook does")

        parser.StartDoctypeDeclHandler = refuse
        return parser

    def _each(self, name: str, handle: Callable[[str, Mapping[str, str]], None]) -> None:
        parser = self.parser()
        parser.StartElementHandler = lambda tag, given: handle(_local(tag), given)
        deque(self.feed(name, parser), maxlen=0)

    def _read_styles(self) -> None:
        formats: dict[str, str] = {}
        inside, n = [False], [0]

        def styled(tag: str, given: Mapping[str, str]) -> None:
            if tag == "numFmt":
                formats[given.get("numFmtId", "")] = given.get("formatCode", "")
            elif tag in ("cellXfs", "cellStyleXfs", "dxfs", "cellStyles"):
                inside[0] = tag == "cellXfs"
            elif tag == "xf" and inside[0]:
                number = given.get("numFmtId", "0")
                if _shows_dates(number, formats.get(number)):
                    self.date_styles.add(n[0])
                n[0] += 1

        self._each("xl/styles.xml", styled)

    def _read_shared(self) -> None:
        text, size = _TextOf("si"), 0
        parser = self.parser()
        text.listen(parser)
        for _ in self.feed("xl/sharedStrings.xml", parser):
            size += sum(map(len, text.done))
            if size > MAX_SHARED_CHARS:
                raise DatasetError(f"{self.path}: its texts are longer than {MAX_SHARED_CHARS:,} characters together")
            self.shared += text.done
            text.done.clear()


class _TextOf:
    """Collects the text of each element of one name, without what tells how to pronounce it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.done: list[str] = []
        self._parts: list[str] = []
        self._is_text = False
        self._aside = 0

    def listen(self, parser: expat.XMLParserType) -> None:
        """Take the parser's events."""
        parser.StartElementHandler = lambda tag, _: self.start(_local(tag))
        parser.EndElementHandler = lambda tag: self.end(_local(tag))
        parser.CharacterDataHandler = self.text

    def start(self, tag: str) -> None:
        """An element begins."""
        self._aside += tag == "rPh"
        self._is_text = tag == "t" and not self._aside

    def end(self, tag: str) -> None:
        """An element ends."""
        self._aside -= tag == "rPh"
        self._is_text = False
        if tag == self.name:
            self.done.append(_unescaped("".join(self._parts)))
            self._parts.clear()

    def text(self, text: str) -> None:
        """Characters."""
        if self._is_text:
            self._parts.append(text)


class _Sheet:
    """One sheet's rows; `name` is what it is called in messages, nothing where it is the only one."""

    def __init__(self, book: _Workbook, notes: Notes, name: str) -> None:
        self._book = book
        self._name = name
        self._notes = notes
        self._done: list[tuple[str, list[Cell]]] = []
        self._cells: dict[int, Cell] = {}
        self._row = 0
        self._column = -1
        self._kind = "n"
        self._style = 0
        self._parts: list[str] = []
        self._reads = False

    def records(self, part: str) -> Iterator[tuple[str, list[Cell]]]:
        """The rows that hold a cell, each with its number; all as wide as the first, or wider."""
        parser, width = self._book.parser(), 0
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        for _ in self._book.feed(part, parser):
            for where, cells in self._done:
                width = width or len(cells)
                yield where, cells + [None] * (width - len(cells))
            self._done.clear()

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        tag = _local(name)
        if tag == "row":
            number = given.get("r", "")
            self._row = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else self._row + 1
            self._column = -1
        elif tag == "c":
            self._column = _column(given.get("r", ""), self._column)
            self._kind, style = given.get("t", "n"), given.get("s", "0")
            self._style = int(style) if style.isascii() and style.isdigit() else 0
            self._parts.clear()
        elif tag == "mergeCell":
            self._notes.add("noticed", MERGED, f"{self._book.path}: {self._name}{given.get('ref', '')}")
        self._reads = tag == "v" or (tag == "t" and self._kind == "inlineStr")

    def _text(self, text: str) -> None:
        if self._reads:
            self._parts.append(text)

    def _end(self, name: str) -> None:
        tag = _local(name)
        self._reads = False
        if tag == "c" and self._parts:
            value = self._value("".join(self._parts))
            if value is not None and self._column >= MAX_COLUMNS:
                raise DatasetError(f"{self._where}: more than {MAX_COLUMNS:,} columns")
            if value is not None:
                self._cells[self._column] = value
            self._parts.clear()
        elif tag == "row":
            if self._cells:
                width = max(self._cells) + 1
                self._done.append((self._where, [self._cells.get(column) for column in range(width)]))
            self._cells = {}

    @property
    def _where(self) -> str:
        return f"{self._book.path}: {self._name}row {self._row}"

    def _value(self, text: str) -> Cell:
        if len(text) > MAX_CELL_CHARS:
            raise DatasetError(f"{self._where}: a cell is longer than {MAX_CELL_CHARS:,} characters")
        if self._kind == "s":
            place = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
            if not 0 <= place < len(self._book.shared):
                raise DatasetError(f"{self._where}: there is no shared text {text[:20]!r}; the file is damaged")
            return self._book.shared[place]
        if self._kind == "b":
            return spelt(text == "1")
        if self._kind == "e":
            self._notes.add("noticed", "cells with an Excel error, taken as empty", self._where, text)
            return None
        return self._number(text) if self._kind == "n" else _unescaped(text)

    def _number(self, text: str) -> Cell:
        try:
            number = float(text)
        except ValueError:
            return text
        if self._style in self._book.date_styles:
            return self._book.moment(number)
        return spelt(number)


def _local(tag: str) -> str:
    return tag.rpartition(":")[2]


def _column(reference: str, before: int) -> int:
    """The number of the column that a reference such as `AB12` names; else the one behind the last."""
    column = 0
    for char in reference[:8]:
        if not "A" <= char <= "Z":
            break
        column = column * 26 + ord(char) - 64
    return column - 1 if column else before + 1


def _shows_dates(number: str, code: str | None) -> bool:
    if code is None:
        return number.isascii() and number.isdigit() and len(number) < 9 and int(number) in DATES
    return bool(set(NOT_A_FORMAT.sub("", code).lower()) & set("ymdhs"))


def _unescaped(text: str) -> str:
    """The text with the characters that XML cannot hold (`_x000D_` for a carriage return)."""
    return ESCAPED.sub(lambda hit: chr(int(hit.group(1), 16)), text) if "_x" in text else text

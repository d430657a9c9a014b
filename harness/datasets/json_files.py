"""JSON as rows: one object a line, an array of objects, or a whole document that holds rows.

Which of them it is, the content says, not the ending. Lines and arrays are read one object at a
time, whatever their number; a document of another shape has to fit in memory, within a limit.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.datasets import json_forms, nesting, text_files
from harness.datasets.cells import spelt
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.datasets.cells import Cell
    from harness.datasets.layouts import Layout
    from harness.datasets.notes import Notes

MAX_DOCUMENT_CHARS = 256 * 1024**2
BLANK = " \t\r\n"
DECODER = json.JSONDecoder()

Raw = tuple[str, dict[str, object]]


def read(path: Path, layout: Layout, notes: Notes) -> Iterator[tuple[str, dict[str, Cell]]]:
    """The rows of a JSON file; what an annotation tool or a hub wrote is recognised. Raises `DatasetError`."""
    objects = _objects(path, layout)
    first = next(objects, None)
    if first is None:
        return
    convert = json_forms.recognised(first[1], layout.wanted)
    for where, given in _again(first, objects):
        row = given if convert is None else convert(given, where, notes)
        if row is not None:
            shown = nesting.opened(row, layout.wanted, every=layout.open_all)
            yield where, {name: spelt(value) for name, value in shown.items()}


def names_splits(path: Path, layout: Layout) -> bool:
    """Whether a file is a document that holds its rows by split. Raises `DatasetError`."""
    return _shape(path, layout) == "document" and bool(json_forms.splits_of(_document(path, layout)))


def parsed(text: str, where: str) -> object:
    """The JSON value of a text; `DatasetError` names the place."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: not JSON: {error}") from None
    _check_characters(value, text, where)
    return value


def _objects(path: Path, layout: Layout) -> Iterator[Raw]:
    shape = _shape(path, layout)
    if shape == "lines":
        for number, line in enumerate(text_files.lines(path, layout.encoding), start=1):
            if line.strip():
                where = f"{path}:{number}"
                yield where, _object(parsed(line, where), where)
    elif shape == "array":
        for number, value in enumerate(_elements(path, layout), start=1):
            where = f"{path}: row {number}"
            yield where, _object(value, where)
    else:
        yield from json_forms.in_document(_document(path, layout), path)


def _shape(path: Path, layout: Layout) -> str:
    """`lines`, `array` or `document`, by how the text begins."""
    beginning = next(text_files.pieces(path, layout.encoding), "").lstrip("\ufeff" + BLANK)
    if beginning.startswith("["):
        return "array"
    if text_files.ending(path) != ".json":
        return "lines"
    first, _, rest = beginning.partition("\n")
    return "lines" if first.rstrip().endswith("}") and rest.lstrip().startswith("{") else "document"


def _document(path: Path, layout: Layout) -> object:
    parts, size = [], 0
    for part in text_files.pieces(path, layout.encoding):
        parts.append(part)
        size += len(part)
        if size > MAX_DOCUMENT_CHARS:
            raise DatasetError(
                f"{path}: a JSON document of more than {MAX_DOCUMENT_CHARS:,} characters; "
                "write its rows as an array, or one a line (.jsonl)"
            )
    return parsed("".join(parts), str(path))


def _elements(path: Path, layout: Layout) -> Iterator[object]:
    """The elements of an array, decoded one after the other as the text comes in."""
    text = _Text(path, layout)
    if text.peek() == "\ufeff":
        text.skip("\ufeff")
    text.skip("[")
    while text.peek() != "]":
        yield text.value()
        if text.peek() == ",":
            text.skip(",")
        elif text.peek() != "]":
            raise DatasetError(f"{path}: not JSON: expected ',' or ']' {text.place}")
    text.skip("]")
    if text.peek():
        raise DatasetError(f"{path}: not JSON: something stands behind the array, {text.place}")


class _Text:
    """The text of a file, of which only the part that is being decoded is held."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._parts = text_files.pieces(path, layout.encoding)
        self._held, self._at, self._n = "", 0, 0

    @property
    def place(self) -> str:
        """Where the reading stands, in words."""
        return f"behind element {self._n}"

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in BLANK:
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                return ""

    def skip(self, character: str) -> None:
        """Go behind this character; it has to come next."""
        if self.peek() != character:
            raise DatasetError(f"{self._path}: not JSON: expected {character!r} {self.place}; is the file cut off?")
        self._at += 1

    def value(self) -> object:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                # It may be unfinished: what is held grows until the value is too long to be one.
                if len(self._held) - self._at > text_files.MAX_LINE_CHARS or not self._more():
                    raise DatasetError(f"{self._path}: not JSON {self.place}: {error}") from None
                continue
            if end < len(self._held) or not self._more():  # at the end of what is held a number may go on
                break
        _check_characters(value, self._held[self._at : end], f"{self._path}: row {self._n + 1}")
        self._at, self._n = end, self._n + 1
        return value

    def _more(self) -> bool:
        part = next(self._parts, None)
        if part is None:
            return False
        self._held, self._at = self._held[self._at :] + part, 0
        return True


def _again(first: Raw, rest: Iterator[Raw]) -> Iterator[Raw]:
    yield first
    yield from rest


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise DatasetError(f"{where}: found a JSON {type(value).__name__}; expected an object")
    return value


def _check_characters(value: object, text: str, where: str) -> None:
    """Raise for half a character: a lone surrogate."""
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise DatasetError(f"{where}: it holds half a character (a lone surrogate such as \\ud83d)") from None

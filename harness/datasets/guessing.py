"""Guesses for messages: which column is the text, which the label, whether a first line is a header.

A guess is only ever shown, as part of a command that a person may type; nothing is imported by it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from harness.datasets import tables, text_files
from harness.datasets.cells import is_missing
from harness.datasets.layouts import column_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.datasets.cells import Cell
    from harness.datasets.layouts import Layout

SAMPLE = 1_000
TEXTS = (
    *("text", "body", "message", "sentence", "utterance", "question", "query", "review", "comment", "content"),
    *("tweet", "description", "subject", "title", "input", "prompt", "document"),
)
LABELS = (
    *("label", "labels", "class", "category", "intent", "sentiment", "target", "topic", "gold", "queue"),
    *("tag", "type", "annotation", "accept", "answer", "output", "y", "assistant"),
)
WORDS_OF_A_TEXT = 4


def roles(path: Path, layout: Layout, taken: Sequence[str] = ()) -> tuple[str | None, str | None]:
    """The columns that are probably the text and the label; those in `taken` are something else."""
    rows = [row for _, row in islice(tables.read(path, replace(layout, open_all=True, wanted=())), SAMPLE)]
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in taken]
    label = _named(columns, LABELS)
    text = _named([name for name in columns if name != label], TEXTS)
    left = [name for name in columns if name not in (text, label)]
    if text is None and left:
        text = max(left, key=lambda name: _mean_length(rows, name))
        left.remove(text)
    if label is None:
        counts = {name: len(_values(rows, name)) for name in left}
        repeated = [name for name in left if 2 <= counts[name] <= max(2, len(rows) // 2)]
        label = min(repeated, key=counts.__getitem__, default=None)
    return text, label


def columns_of_headless(path: Path, layout: Layout) -> tuple[str, ...] | None:
    """Names for the columns of a file whose first line is a row; None when that line reads as a header."""
    suffix = text_files.ending(path)
    if layout.columns or layout.header is not None or suffix not in (*tables.DELIMITED, *tables.EXCEL):
        return None
    rows = [row for _, row in islice(tables.read(path, replace(layout, wanted=())), SAMPLE)]
    names = list(rows[0]) if rows else []
    is_row = any(len(name.split()) > WORDS_OF_A_TEXT or name in _values(rows, name) for name in names)
    if not is_row or len(names) < 2:
        return None
    plain = tuple(f"column{number}" for number in range(1, len(names) + 1))
    text, label = roles(path, replace(layout, columns=plain))
    meaning = {text: "text", label: "label"}
    return tuple(meaning.get(name, name) for name in plain)


def header(path: Path, layout: Layout) -> int | None:
    """The line or row that is probably the header, where a title stands above it; None where the first one is.

    It names every wanted column; where none is wanted, one that is usual for a text and one for a label. In a
    sheet it may be, too, the first row with a cell in every column, below a title of one text (in one cell or all).
    """
    is_table = text_files.ending(path) in (*tables.DELIMITED, *tables.EXCEL)
    if not is_table or layout.header is not None or layout.columns:
        return None
    (_, first), *below = tables.beginning(path, layout) or [(0, [])]
    is_title, is_header = _rules(layout, path, first, [cells for _, cells in below])
    return next((at for at, cells in below if is_header(cells)), None) if is_title else None


def sheet(path: Path, layout: Layout) -> str | None:
    """The first sheet of a workbook with a row that would be a header, by the names in it.

    None where none has, or where it is the one that is read anyway: the first that holds a cell.
    """
    if layout.sheet is not None or layout.columns:
        return None
    is_header, is_first = _by_names(layout), True
    for name in tables.sheets(path):
        records = tables.beginning(path, replace(layout, sheet=name))
        if any(is_header(cells) for _, cells in records):
            return None if is_first else name
        is_first = is_first and not records
    return None


def _rules(
    layout: Layout, path: Path, first: Sequence[str], below: Sequence[Sequence[str]]
) -> tuple[bool, Callable[[Sequence[str]], bool]]:
    """Whether the first record is no header, and which one is."""
    is_header = _by_names(layout)
    if layout.wanted or any(map(is_header, below)):
        return not is_header(first), is_header
    widest = max((len(_filled(cells)) for cells in below), default=0)
    is_title = text_files.ending(path) in tables.EXCEL and len(_filled(first)) < 2 <= widest
    return is_title, lambda cells: len(_filled(cells)) == widest


def _by_names(layout: Layout) -> Callable[[Sequence[str]], bool]:
    """Whether cells name every wanted column; where none is wanted, a text and a label as they are usually called."""

    def is_header(cells: Sequence[str]) -> bool:
        names = [column_name(cell) for cell in cells]
        if layout.wanted:
            return set(layout.wanted) <= set(names)
        label = _named(names, LABELS)
        return label is not None and _named([name for name in names if name != label], TEXTS) is not None

    return is_header


def _filled(cells: Sequence[str]) -> set[str]:
    return {cell.strip() for cell in cells} - {""}


def _named(columns: Sequence[str], known: Sequence[str]) -> str | None:
    """The first known name that a column has, whole or as the last part of a path."""
    last = {column.casefold().rpartition(".")[2]: column for column in reversed(columns)}
    return next((last[name] for name in known if name in last), None)


def _mean_length(rows: Sequence[Mapping[str, Cell]], name: str) -> float:
    return sum(len(str(row.get(name) or "")) for row in rows) / max(len(rows), 1)


def _values(rows: Sequence[Mapping[str, Cell]], name: str) -> set[str]:
    return {str(row[name]).strip() for row in rows if name in row and not is_missing(row[name])}

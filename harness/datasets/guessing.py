"""Guesses for messages: which column is the text, which the label, whether a first line is a header.

A guess is only ever shown, as part of a command that a person may type; nothing is imported by it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from harness.datasets import tables, text_files
from harness.datasets.cells import is_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    if layout.columns or suffix not in (*tables.DELIMITED, *tables.EXCEL):
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


def _named(columns: Sequence[str], known: Sequence[str]) -> str | None:
    """The first known name that a column has, whole or as the last part of a path."""
    last = {column.casefold().rpartition(".")[2]: column for column in reversed(columns)}
    return next((last[name] for name in known if name in last), None)


def _mean_length(rows: Sequence[Mapping[str, Cell]], name: str) -> float:
    return sum(len(str(row.get(name) or "")) for row in rows) / max(len(rows), 1)


def _values(rows: Sequence[Mapping[str, Cell]], name: str) -> set[str]:
    return {str(row[name]).strip() for row in rows if name in row and not is_missing(row[name])}

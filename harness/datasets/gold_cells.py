"""What a cell of the label column says: a label, nothing, or something that is no label.

A label is a text in Unicode's composed form (NFC) without blanks at its edges, or characters there that
nobody sees. A list of one label is that label.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.datasets.cells import is_missing
from harness.datasets.problems import ImportProblem
from harness.ground import formatting

if TYPE_CHECKING:
    from harness.datasets.cells import Cell

BLANKS = "labels with blanks at an edge"
COMPOSED = "labels that were not in Unicode's composed form"
ONE = "lists of one label"
UNSEEN = "\u200b\u2060\ufeff\u200e\u200f"
"""Blanks of no width, and marks of the direction of writing; joiners and tags are parts of some emoji."""
QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Form:
    """How a gold cell is to be read: its place and column, the item's text, and what stands between two labels."""

    where: str
    column: str
    text: str = ""
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class Gold:
    """A label, and what had to be repaired in it; or no label, and why there is none."""

    label: str | None
    why: str = ""


def read(cell: Cell, where: str, column: str) -> Gold:
    """The label of a cell; raises `ImportProblem` for several labels and for objects."""
    parts = cell if isinstance(cell, list) else as_list(cell or "")
    if parts is None:
        return _of_text(cell if isinstance(cell, str) else "", where, column)
    labels = list(dict.fromkeys(plain(part) for part in parts if not is_missing(part)))
    if labels and labels[0].startswith("{"):
        _refuse_object(labels[0], where, column, is_alone=len(labels) == 1)
    if len(labels) > 1:
        raise ImportProblem(
            f"{where}: column {column!r} holds several labels in one row, {labels[0]!r} and {labels[1]!r}; an item "
            "of kind single has one label: for several of them give --kind multi",
            {"kind": "multi"},
        )
    return Gold(labels[0], ONE) if labels else Gold(None, "an empty list")


def _of_text(text: str, where: str, column: str) -> Gold:
    label = plain(text)
    if is_missing(label):
        return Gold(None, f"it is {label}" if label else "")
    if label.startswith("{"):
        _refuse_object(label, where, column)
    if label == text:
        return Gold(label)
    return Gold(label, COMPOSED if label == unicodedata.normalize("NFC", text) else BLANKS)


def plain(text: str) -> str:
    """The text in Unicode's composed form, without blanks at its edges, seen or not."""
    composed = unicodedata.normalize("NFC", text).strip()
    while composed.strip(UNSEEN) != composed:
        composed = composed.strip(UNSEEN).strip()
    return composed


def as_list(text: str) -> list[str] | None:
    """The texts of a list in JSON, or as Python and NumPy print it; None when it is no list."""
    body = text.strip()
    if not (body.startswith("[") and body.endswith("]")):
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        if QUOTED.sub("", body[1:-1]).strip(" ,\n") or not QUOTED.search(body):
            return None
        return [single or double for single, double in QUOTED.findall(body)]
    return [part if isinstance(part, str) else json.dumps(part, ensure_ascii=False) for part in value]


def _refuse_object(text: str, where: str, column: str, *, is_alone: bool = True) -> None:
    """Raise for a JSON object; a text that only begins like one is a label."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    shown = formatting.cut(text, LONGEST)
    inner = next(iter(value), None) if is_alone else None
    way_out = f": name its part, --label {column}.{inner}" if inner is not None else ""
    change = {} if inner is None else {"label": f"{column}.{inner}"}
    found = f"{where}: column {column!r} holds {'an object' if is_alone else 'objects'}, {shown}"
    raise ImportProblem(f"{found}; a label is one text{way_out}", change)

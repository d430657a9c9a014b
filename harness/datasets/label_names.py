"""The closed set of labels, as it is given: names, or a file of names and what they mean."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from harness.datasets import tables, text_files
from harness.datasets.layouts import Layout
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES = (".csv", ".tsv", ".json", ".toml", ".txt")
HEADERS = frozenset({"label", "labels", "name"})


def read(given: str) -> dict[str, str]:
    """The labels and their descriptions, in order. Raises `DatasetError`.

    `given` is names with commas between them, or a file: a table of one or two columns (label, description; a header
    line `label,description` is no label), a label a line, or a JSON or TOML object of descriptions by label (in JSON
    also a list of labels).
    """
    path = Path(given)
    if path.suffix.lower() in FILES and (path.is_file() or "," not in given):
        text_files.check(path)
        pairs = _of_file(path)
    else:
        pairs = [(name, "") for name in given.split(",")]
    labels: dict[str, str] = {}
    for name, description in pairs:
        label = name.strip()
        if not label:
            raise DatasetError(f"--labels {given!r} holds an empty label; expected names with commas between them")
        if label in labels:
            raise DatasetError(f"--labels {given!r} names {label!r} twice")
        labels[label] = description.strip()
    return labels


def _rows(path: Path) -> list[Mapping[str, tables.Cell]]:
    """The rows of a table of two columns, or else of one."""
    try:
        return [row for _, row in tables.read(path, Layout(columns=("label", "description")))]
    except DatasetError:
        try:
            return [row for _, row in tables.read(path, Layout(columns=("label",)))]
        except DatasetError:
            pass  # what is wrong is told of the two columns
        raise


def _of_file(path: Path) -> list[tuple[str, str]]:
    ending = path.suffix.lower()
    if ending in tables.DELIMITED:
        pairs = [(str(row["label"] or ""), str(row.get("description") or "")) for row in _rows(path)]
        return pairs[1:] if pairs and pairs[0][0].strip().lower() in HEADERS else pairs
    text = "".join(text_files.pieces(path))
    if ending == ".txt":
        return [(line, "") for line in text.splitlines() if line.strip()]
    try:
        value = json.loads(text) if ending == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: not readable: {error}") from None
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return [(name, "") for name in value]
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return list(value.items())
    raise DatasetError(f"{path}: expected an object of descriptions by label, all of them texts")

"""Columns that were not named, or are not there: what the file has instead, and what was probably meant."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.datasets import guessing, tables, text_files
from harness.datasets.problems import ImportProblem, listed, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from harness.datasets.import_spec import ImportSpec
    from harness.datasets.survey import Survey

UNNAMED = "give --text COL and --label COL: which columns hold the text and its gold label"


def unnamed(spec: ImportSpec, path: Path | None) -> ImportProblem:
    """The problem of an import that names no text or no label column, with a guess at both.

    Where the labels were given and no column of theirs, the rows have none, and only the text is guessed.
    """
    if path is None:
        return ImportProblem(UNNAMED)
    if at := guessing.header(path, spec.layout):
        return not_the_header(f"{UNNAMED}; the first line of {path} is a title", at)
    if other := _another_sheet(UNNAMED, spec, path):
        return other
    if spec.is_closed:
        text, _ = guessing.roles(path, spec.layout, spec.named)
        has = listed(tables.columns(path, spec.layout))
        return ImportProblem(f"give --text COL: which column holds the text; {path} has {has}", {"text": text})
    has = listed(tables.columns(path, spec.layout))
    if headless := guessing.columns_of_headless(path, spec.layout):
        return _headless(f"{UNNAMED}; the first line of {path} reads as a row ({has})", headless)
    text, label = guessing.roles(path, spec.layout, spec.named)
    change = {"text": spec.text or text, "label": spec.label or label}
    return ImportProblem(f"{UNNAMED}; {path} has {has}", {} if None in change.values() else change)


def missing(spec: ImportSpec, role: str, survey: Survey, path: Path | None) -> ImportProblem:
    """The problem of a column that no row has; `role` is the field of the spec that names it."""
    name = getattr(spec, role)
    place = survey.first_row if path is None else text_files.names_place(path, survey.first_row)
    found = f"{place}: there is no column {name!r}"
    if path is None:
        columns = list(survey.columns)
    else:
        if at := guessing.header(path, spec.layout):
            return not_the_header(found, at)
        if other := _another_sheet(found, spec, path):
            return other
        columns = tables.columns(path, spec.layout)
        if headless := guessing.columns_of_headless(path, spec.layout):
            return _headless(f"{found}; the first line reads as a row ({listed(columns)})", headless)
    taken = [column for column in spec.named if column != name]
    meant = nearest(name, [column for column in columns if column not in taken])
    hint = "" if meant is None else f"; did you mean {meant!r}?"
    if meant is None and path is not None and role in ("text", "label"):
        meant = guessing.roles(path, spec.layout, taken)[role == "label"]
    return ImportProblem(f"{found}; expected one of {listed(columns)}{hint}", {role: meant} if meant else {})


def _another_sheet(found: str, spec: ImportSpec, path: Path) -> ImportProblem | None:
    """The problem where another sheet of the workbook than the one that was read probably holds the rows."""
    name = guessing.sheet(path, spec.layout)
    if name is None:
        return None
    return ImportProblem(f"{found}; sheet {name!r} has such columns: --sheet {shlex.quote(name)}", {"sheet": name})


def not_the_header(found: str, at: int | None) -> ImportProblem:
    """The problem of a line that was taken for the header, where the header is perhaps at another one."""
    if at is None:
        return ImportProblem(found)
    return ImportProblem(f"{found}; the header seems to be line {at}: --header {at}", {"header": at})


def _headless(found: str, columns: tuple[str, ...]) -> ImportProblem:
    return ImportProblem(
        f"{found}: if it is one, name the columns with --columns {','.join(columns)}",
        {"columns": columns, "text": "text", "label": "label"},
    )

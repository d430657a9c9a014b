"""Gold answers of people's own files, read as their kind reads them; only kind `single` is read elsewhere.

Labels of one item may stand in several rows: rows of one id, or of one text where rows have no id.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.datasets.gold_cells import Form, as_list
from harness.datasets.problems import ImportProblem
from harness.ground import plugins
from harness.ground.ids import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.datasets.cells import Cell
    from harness.datasets.import_spec import ImportSpec

SINGLE = "single"


def reader(spec: ImportSpec) -> GoldReader | None:
    """The reader of a kind's gold cells; None for kind single. Raises where an option is missing or does not fit."""
    if spec.raters and spec.label in spec.raters:
        raise ImportProblem(f"--rater {spec.label}: this is the label; a rater's column holds one person's answers")
    for option, kind, given in (
        ("--labels-separator", "multi", spec.labels_separator),
        ("--field", "extract", spec.fields),
        ("--range", "score", spec.range),
    ):
        if given and spec.kind != kind:
            raise ImportProblem(f"{option} goes with --kind {kind}; this import is of kind {spec.kind}", {"kind": kind})
    if spec.kind == "score" and spec.range is None:
        raise ImportProblem("--kind score needs --range LOW HIGH, the ends of the scale")
    return None if spec.kind == SINGLE else GoldReader(spec)


class GoldReader:
    """Reads the gold answers of one kind."""

    def __init__(self, spec: ImportSpec) -> None:
        self._spec = spec
        self._kind = plugins.load("kinds", spec.kind)
        self._merged: dict[str, list[str]] = {}
        self._yielded: set[str] = set()
        self.merges = spec.kind == "multi" and not spec.labels_separator

    def read(self, where: str, row: Mapping[str, Cell]) -> str | None:
        """The answer of a row as canonical text; None where there is none."""
        if self._spec.fields:
            return self._of_columns(where, row)
        cell = row.get(self._spec.label)
        if self.merges and (isinstance(cell, list) or as_list(cell or "") is not None):
            self.merges = False  # a row that lists labels has all of its item's
        return self.of_cell(cell, self._spec.label, where, row)

    def of_cell(self, cell: Cell, column: str, where: str, row: Mapping[str, Cell]) -> str | None:
        """The answer of one cell, a gold one or a rater's."""
        imported = getattr(self._kind, "imported", None)
        text = row.get(self._spec.text)
        form = Form(where, column, text if isinstance(text, str) else "", self._spec.labels_separator)
        if imported is None:
            return cell if isinstance(cell, str) and cell.strip() else None
        found: str | None = imported(cell, form)
        return found

    def names(self, answer: str) -> tuple[str, ...]:
        """The names in an answer: its labels, its fields, or none."""
        parts = getattr(self._kind, "parts", None)
        return (answer,) if parts is None else tuple(parts(answer))

    def renamed(self, answer: str, new_names: Mapping[str, str | None]) -> str:
        """The answer with its labels by their final names."""
        rename = getattr(self._kind, "renamed", None)
        return answer if rename is None else str(rename(answer, new_names))

    def checked(self, answer: str, where: str) -> str:
        """The answer; `DatasetError` where it lies outside the range."""
        ends = self._spec.range
        return answer if ends is None else str(self._kind.read_gold(answer, [f"{end:.15g}" for end in ends], where))

    def note(self, row: Mapping[str, Cell], answer: str) -> bool:
        """Take the labels of a row into account; whether an earlier row was of the same item."""
        key = self._key(row)
        known = key in self._merged
        self._merged.setdefault(key, []).extend(self.names(answer))
        return known

    def whole(self, row: Mapping[str, Cell], answer: str) -> str | None:
        """The answer with the labels of all rows of this item; None for a row that is not the item's first."""
        if not self.merges:
            return answer
        key = self._key(row)
        if key in self._yielded:
            return None
        self._yielded.add(key)
        return str(self._kind.canonical(self._merged[key]))

    def _key(self, row: Mapping[str, Cell]) -> str:
        cell = row.get(self._spec.id or self._spec.text)
        return cell if isinstance(cell, str) else canonical_json(cell or "")

    def _of_columns(self, where: str, row: Mapping[str, Cell]) -> str | None:
        cells = {name: row.get(column) for name, column in self._spec.fields.items()}
        return self.of_cell(json.dumps(cells, ensure_ascii=False), "", where, row)

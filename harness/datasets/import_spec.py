"""What a person says of a file that is to become a dataset: the record of `dataset import`'s options."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.datasets import encodings, layouts
from harness.datasets.layouts import Layout

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ImportSpec:
    """Which columns mean what, how the files are laid out, and how rows without a split get one.

    `fields` are columns by the field that they fill (kind extract), `range` the ends of a scale (kind score),
    `labels_separator` stands between two labels of a cell (kind multi), `raters` are columns of one person's answers.
    `relabel` gives labels new names ('': none). Rows without a label are refused, or left out with
    `drop_unlabelled`, or kept to be labelled where `labels` are the closed set (`is_closed`); then `label` may be
    empty too: no row has one. Rows without a text are refused, or left out with `drop_empty`.
    """

    name: str
    version: str
    text: str
    label: str
    id: str | None = None
    tags: str | None = None
    tags_separator: str = "|"
    group: str | None = None
    split_column: str | None = None
    seed: int = 0
    description: str = ""
    kind: str = "single"
    labels: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    separator: str | None = None
    columns: tuple[str, ...] = ()
    sheet: str | None = None
    header: int | None = None
    relabel: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    labels_separator: str | None = None
    raters: tuple[str, ...] = ()
    drop_unlabelled: bool = False
    drop_empty: bool = False
    is_closed: bool = False

    @property
    def layout(self) -> Layout:
        """How its files are laid out; raises `DatasetError` for an encoding or separator that is none."""
        return Layout(
            encoding=None if self.encoding is None else encodings.checked(self.encoding),
            separator=None if self.separator is None else layouts.separator(self.separator),
            columns=layouts.column_names(self.columns),
            wanted=self.named,
            sheet=self.sheet,
            header=self.header,
        )

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that mean something."""
        columns = (*self.fields.values(), *self.raters)
        given = (self.text, self.label, self.id, self.tags, self.group, self.split_column, *columns)
        return tuple(name for name in given if name)

    def changed(self, change: Mapping[str, object]) -> ImportSpec:
        """The same with what a problem would change."""
        return replace(self, **change)  # type: ignore[arg-type]  # problems name fields of this class

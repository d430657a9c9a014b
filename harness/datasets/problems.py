"""What is wrong with an import, and which option would put it right."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHOWN = 20


class ImportProblem(DatasetError):
    """A defect of the file, or an option that does not fit it.

    `change` names the fields of `ImportSpec` that would put it right, with their values; it is empty
    where only the file can be changed.
    """

    def __init__(self, message: str, change: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.change = dict(change or {})


def nearest(name: str, columns: Sequence[str]) -> str | None:
    """The column that was probably meant: the same but for case, the last part of a path, or a near spelling."""
    wanted = name.casefold()
    for column in columns:
        if wanted in (column.casefold(), column.casefold().rpartition(".")[2]):
            return column
    near = get_close_matches(wanted, [column.casefold() for column in columns], n=1)
    return next(column for column in columns if column.casefold() == near[0]) if near else None


def listed(columns: Sequence[str]) -> str:
    """The columns in their order, as an error message shows them."""
    shown = ", ".join(repr(column) for column in columns[:SHOWN])
    return (shown or "(no column)") + (f", and {len(columns) - SHOWN} more" if len(columns) > SHOWN else "")

"""How a file is laid out, as far as its reader has to be told: encoding, separator, column names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
NOT_SEPARATORS = frozenset('"\r\n')


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of a file before it is read; the defaults mean that the file itself tells.

    `columns` are the names of the columns of a file without a header line. `wanted` are the columns
    that will be asked for: they tell a separator from a character of the text, and which nested
    objects to open. With `open_all` every nested object is opened. `sheet` is the name of a workbook's
    sheet, or its place among those that are seen, from 1. `header` is the number of the line or row
    that names the columns: what stands above it is left out.
    """

    encoding: str | None = None
    separator: str | None = None
    columns: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    open_all: bool = False
    sheet: str | None = None
    header: int | None = None


PLAIN = Layout()


def separator(given: str) -> str:
    """The character that `--separator` names: itself, or one of the names of `SEPARATORS`."""
    character = SEPARATORS.get(given.strip().lower(), "\t" if given == "\\t" else given)
    if len(character) != 1 or character in NOT_SEPARATORS:
        raise DatasetError(
            f"--separator {given!r} is no separator; expected one character, or one of {', '.join(SEPARATORS)}"
        )
    return character


def typed(character: str) -> str:
    """The separator as it is typed: its name where it has one."""
    return next((name for name, known in SEPARATORS.items() if known == character), character)


def column_name(name: str) -> str:
    """The name of a column without blanks at its edges, line breaks and byte order marks."""
    return " ".join(name.replace("\ufeff", "").split())


def column_names(given: Iterable[str]) -> tuple[str, ...]:
    """The names as `column_name` has them."""
    return tuple(column_name(name) for name in given)

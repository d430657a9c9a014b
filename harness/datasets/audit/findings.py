"""What an audit finds: how bad it is, in one sentence, for which rows, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from harness.types import Estimate

Cell = str | int | float | Estimate
SHOWN = 20
"""How many rows of evidence a finding carries; `items` names all rows it is about."""


class Severity(IntEnum):
    """How bad a finding is."""

    NOTE = 0  # good to know
    WARNING = 1  # look at it before you trust a number
    ERROR = 2  # numbers made with this data are wrong

    @property
    def word(self) -> str:
        """The severity as it is typed and printed."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows that show what was found, under their columns. A secret never stands in a cell."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of defect in one dataset.

    `items` are the ids of the rows concerned (for a leak: of the scored ones), `facts` the counts
    behind the sentence, by name. `check` is the file that found it.
    """

    severity: Severity
    message: str
    remedy: str
    items: tuple[str, ...] = ()
    facts: Mapping[str, int] = field(default_factory=dict, hash=False)
    evidence: Evidence | None = None
    check: str = ""


def share_of(part: int, whole: int) -> str:
    """A part of a whole, in words: `425 of 3,080`."""
    return f"{part:,} of {whole:,}"

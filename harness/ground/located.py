"""An extension's name that knows where its workspace keeps extensions of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class Located(str):
    """An extension's name that knows where its workspace keeps extensions of its own.

    Everywhere else it is the name: whoever passes it on need not know that a workspace may have added it.
    """

    at: Path

    def __new__(cls, name: str, at: Path) -> Self:
        """The name, as it would be written."""
        located = super().__new__(cls, name)
        located.at = at
        return located

    def __reduce__(self) -> tuple[type[Self], tuple[str, Path]]:
        return type(self), (str(self), self.at)

"""Files that a person names to be written: what is there already is theirs, and stays unless they say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def check_free(path: Path, option: str, *, overwrites: bool) -> None:
    """Raise `ConfigError` where a file is there that was not to be written over; `option` names the file."""
    if path.exists() and not overwrites:
        raise ConfigError(f"{path} is there already; give another name with {option}, or write over it: --overwrite")

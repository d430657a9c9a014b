"""The file name is the registry: list an extension folder, load one of its files by name.

Nothing is imported until it is asked for, and a name that is not in the listing is refused, so a
hostile name never reaches the import system. Files whose name starts with `_` are a folder's own
business and not extensions.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError, one_of

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parent


def names(folder: str) -> tuple[str, ...]:
    """The extensions of a folder, as users write them: `tag_odds.py` is `tag-odds`."""
    files = (ROOT / folder).glob("[!_]*.py")
    return tuple(sorted(path.stem.replace("_", "-") for path in files))


def load(folder: str, name: str) -> ModuleType:
    """The module of one extension; `ConfigError` names the choices when there is none."""
    if name not in names(folder):
        what = folder.rpartition("/")[2].rstrip("s")
        raise ConfigError(f"unknown {what} {name!r}; {one_of(name, names(folder))}")
    dotted = ".".join(("harness", *folder.split("/"), name.replace("-", "_")))
    return import_module(dotted)


def summary(folder: str, name: str) -> str:
    """The first line of an extension's docstring, read without importing it."""
    source = (ROOT / folder / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]

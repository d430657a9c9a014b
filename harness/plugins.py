"""The file name is the registry: list an extension folder, load one of its files by name.

Nothing is imported until it is asked for, and a name that is not in the listing is refused, so a
hostile name never reaches the import system. Files whose name starts with `_` are a folder's own
business and not extensions.

An installed package adds a baseline, a provider or an encoder by an entry point of the group
`harness.baselines`, `harness.providers` or `harness.embedders` that names a module; a file of ours
with the same name comes first.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from harness.errors import ConfigError, one_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint

ROOT = Path(__file__).parent
OPEN = ("baselines", "providers", "embedders")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class Declared:
    """What an extension says of itself: its plain constants, and what its `build` can be given."""

    constants: Mapping[str, object]
    parameters: frozenset[str]


def names(folder: str) -> tuple[str, ...]:
    """The extensions of a folder, as users write them: `tag_odds.py` is `tag-odds`."""
    return tuple(sorted({*_files(folder), *_outside(folder)}))


def load(folder: str, name: str) -> ModuleType:
    """The module of one extension; `ConfigError` names the choices when there is none."""
    if name not in names(folder):
        what = folder.rpartition("/")[2].rstrip("s")
        raise ConfigError(f"unknown {what} {name!r}; {one_of(name, names(folder))}")
    if name not in _files(folder):
        return _loaded(_outside(folder)[name])
    dotted = ".".join(("harness", *folder.split("/"), name.replace("-", "_")))
    return import_module(dotted)


def summary(folder: str, name: str) -> str:
    """The first line of an extension's docstring, read without importing it."""
    return (ast.get_docstring(_source(folder, name)) or "").partition("\n")[0]


def declared(folder: str, name: str) -> Declared:
    """What an extension says of itself, read without importing it where it is a file of ours.

    An import may bring a whole library, which takes seconds; to know whether an arm suits a dataset, or
    whether its run is stored already, it is not needed. Raises as `load` does.
    """
    if name not in _files(folder):
        module = load(folder, name)
        return Declared(vars(module), frozenset(inspect.signature(module.build).parameters))
    statements = _source(folder, name).body
    constants = dict(pair for pair in map(_constant, statements) if pair is not None)
    build = next(one.args for one in statements if isinstance(one, ast.FunctionDef) and one.name == "build")
    return Declared(constants, frozenset(arg.arg for arg in (*build.posonlyargs, *build.args, *build.kwonlyargs)))


def _source(folder: str, name: str) -> ast.Module:
    return ast.parse((ROOT / folder / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8"))


def _constant(statement: ast.stmt) -> tuple[str, object] | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
            return name, value
    return None


def _files(folder: str) -> list[str]:
    return [path.stem.replace("_", "-") for path in (ROOT / folder).glob("[!_]*.py")]


@cache
def _outside(folder: str) -> dict[str, EntryPoint]:
    """What installed packages add to a folder that is open to them; a name that is no name is passed over."""
    if folder not in OPEN:
        return {}
    # Imported when it is needed: it would be a third of what `harness --help` takes.
    found = import_module("importlib.metadata").entry_points(group=f"harness.{folder}")
    return {entry.name: entry for entry in found if NAME.fullmatch(entry.name)}


def _loaded(entry: EntryPoint) -> ModuleType:
    try:
        module = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{entry.name!r} of {entry.group} cannot be loaded from {entry.value}: {error}") from None
    if not isinstance(module, ModuleType):
        raise ConfigError(f"{entry.name!r} of {entry.group} is {entry.value}, which is no module")
    return module

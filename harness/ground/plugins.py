"""The file name is the registry: list an extension folder, load one of its files by name.

Nothing is imported until it is asked for, and a name that is not in the listing is refused, so a
hostile name never reaches the import system. Files whose name starts with `_` are a folder's own
business and not extensions.

A file of a workspace, and an installed package, add a baseline, a provider or an encoder (see `outside`): a file
of ours with the same name comes first, then the workspace's, then the package's.
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
from harness.ground import extensions
from harness.ground.located import Located

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
# What callers and users call a folder of extensions, and where ours lie.
FOLDERS = {
    "kinds": "datasets/kinds",
    "metrics": "analysis/metrics",
    "providers": "models/providers",
    "baselines": "arms/baselines",
    "embedders": "arms/encoders",
    "importers": "store/importers",
    "exporters": "app/exporters",
    "commands": "app/commands",
    "checks": "datasets/audit/checks",
    "sections": "report/sections",
    "figures": "report/figures",
}
OPEN = extensions.OPEN
DEFINITION = re.compile(r"^(?:@|class |def |async def )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Declared:
    """What an extension says of itself: its plain constants, and what its `build` can be given."""

    constants: Mapping[str, object]
    parameters: frozenset[str]


def names(folder: str, at: Path | None = None) -> tuple[str, ...]:
    """The extensions of a folder, as users write them: `tag_odds.py` is `tag-odds`.

    `at` is where a workspace keeps extensions of its own, here as in all that follows.
    """
    return tuple(sorted({*_ours(folder), *extensions.files(folder, at), *extensions.packages(folder)}))


def known(folder: str, name: str, at: Path) -> str:
    """The name, located where a workspace added it; `ConfigError` names the choices when there is none."""
    if name in _ours(folder):
        return name
    if name not in names(folder, at):
        what = folder.rpartition("/")[2].rstrip("s")
        raise ConfigError(f"unknown {what} {name!r}; {one_of(name, names(folder, at))}")
    return Located(name, at)


def load(folder: str, name: str, at: Path | None = None) -> ModuleType:
    """The module of one extension; `ConfigError` names the choices when there is none."""
    at = name.at if at is None and isinstance(name, Located) else at
    if name in _ours(folder):
        return _imported(folder, name)
    if (path := extensions.files(folder, at).get(name)) is not None:
        return extensions.complete(folder, extensions.of_file(path))
    if (entry := extensions.packages(folder).get(name)) is not None:
        return extensions.complete(folder, extensions.of_package(entry))
    what = folder.rpartition("/")[2].rstrip("s")
    raise ConfigError(f"unknown {what} {name!r}; {one_of(name, names(folder, at))}")


@cache
def introduction(folder: str, name: str) -> tuple[str, Mapping[str, object]]:
    """The first line of the docstring of an extension of ours, and its constants above the first definition.

    Neither imported nor read to its end: the help of thirty commands is asked for often, and is made of these.
    """
    head = DEFINITION.split(_ours(folder)[name].read_text(encoding="utf-8"), maxsplit=1)[0]
    source = ast.parse(head)
    return (ast.get_docstring(source) or "").partition("\n")[0], _of_source(source).constants


def constants(folder: str, name: str, at: Path | None = None) -> Mapping[str, object]:
    """What an extension says of itself in plain constants, read without importing it where it is a file.

    Empty for a name that is no extension: a model that was asked once may have had a provider that is gone.
    """
    if name in _ours(folder):
        return _of_source(_source(folder, name)).constants
    path = extensions.files(folder, at).get(name)
    if path is not None:
        return _of_source(extensions.read(path)).constants
    return vars(load(folder, name, at)) if name in extensions.packages(folder) else {}


def declared(folder: str, name: str, at: Path | None = None) -> Declared:
    """What a baseline says of itself, read without importing it where it is a file.

    An import may bring a whole library, which takes seconds; to know whether an arm suits a dataset, or
    whether its run is stored already, it is not needed. Raises as `load` does, and `ConfigError` where
    the extension does not offer what it must.
    """
    path = _ours(folder).get(name) or extensions.files(folder, at).get(name)
    if path is not None:
        return _checked(_of_source(extensions.read(path)), str(path))
    module = load(folder, name, at)
    return _checked(Declared(vars(module), frozenset(inspect.signature(module.build).parameters)), module.__name__)


def _of_source(source: ast.Module) -> Declared:
    constants = dict(pair for pair in map(_constant, source.body) if pair is not None)
    builds = [one.args for one in source.body if isinstance(one, ast.FunctionDef) and one.name == "build"]
    named = [arg.arg for args in builds for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    return Declared(constants, frozenset(named))


def _checked(found: Declared, where: str) -> Declared:
    version = found.constants.get("VERSION")
    if type(version) is not int:
        said = "says no VERSION" if version is None else f"says VERSION = {version!r}"
        raise ConfigError(f"{where} {said}; expected a whole number, as in VERSION = 1, and another one after a change")
    if "seed" not in found.parameters:
        raise ConfigError(f"{where} has no build that takes a seed; expected def build(seed=0), at the top level")
    return found


def _constant(statement: ast.stmt) -> tuple[str, object] | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
            return name, value
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple(elts=elements)):
            values = tuple(one.value for one in elements if isinstance(one, ast.Constant))
            return (name, values) if len(values) == len(elements) else None
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
            return name, value
    return None


@cache  # the package's own files stay as they are while it runs, and an encoder is looked up for every item
def _ours(folder: str) -> dict[str, Path]:
    return {path.stem.replace("_", "-"): path for path in (ROOT / _place(folder)).glob("[!_]*.py")}


@cache  # a kind is asked for by every pair of gold and answer
def _imported(folder: str, name: str) -> ModuleType:
    return import_module(".".join(("harness", *_place(folder).split("/"), name.replace("-", "_"))))


@cache
def _source(folder: str, name: str) -> ast.Module:
    """An extension of ours, not run."""
    return extensions.read(_ours(folder)[name])


def _place(folder: str) -> str:
    return FOLDERS.get(folder, folder)

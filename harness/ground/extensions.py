"""Extensions that are not ours: Python files of a workspace, and modules that installed packages name.

A workspace keeps them in `extensions/baselines` and so on, a folder for each sort in `OFFERED`; a package names a
module by an entry point of the group `harness.baselines`, and so on. Listing them imports nothing. What an
author's code raises while it is imported becomes one line that says where.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING

from harness.errors import ConfigError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OFFERED = {
    "baselines": ("VERSION", "build"),
    "providers": ("connect", "available", "DEFAULT_MODEL", "MODELS", "RUNS_HERE", "GIVES_SCORES"),
    "embedders": ("connect",),
    "kinds": ("read_gold", "reply_format", "parse", "credit", "METRICS", "IS_BINARY", "HAS_CLASSES"),
    "sections": ("ORDER", "section"),
    "figures": ("TITLE", "ORDER", "draw"),
    "checks": ("check",),
    "metrics": ("values", "bounds", "BETTER", "UNANSWERED"),
}
OPEN = tuple(OFFERED)
PREFIX = "harness_extension_"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_turn = RLock()


def files(folder: str, at: Path | None) -> dict[str, Path]:
    """The files of a workspace's own in a folder that is open to them, by name; `at` is where it keeps them.

    A file whose name is no name, or begins with `_`, is passed over.
    """
    if at is None or folder not in OPEN:
        return {}
    found = {path.stem.replace("_", "-"): path for path in sorted((at / folder).glob("[!_]*.py")) if path.is_file()}
    return {name: path for name, path in found.items() if NAME.fullmatch(name)}


@cache
def packages(folder: str) -> dict[str, EntryPoint]:
    """What installed packages add to a folder that is open to them; a name that is no name is passed over."""
    if folder not in OPEN:
        return {}
    # Imported when it is needed: it would be a third of what `harness --help` takes.
    found = import_module("importlib.metadata").entry_points(group=f"harness.{folder}")
    return {entry.name: entry for entry in found if NAME.fullmatch(entry.name)}


def read(path: Path) -> ast.Module:
    """What a file says, not run; `ConfigError` names file and line where it is no Python."""
    try:
        return ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError, OSError) as error:
        raise _blamed(error, path) from None


def of_file(path: Path) -> ModuleType:
    """The module of a file, run once for what stands in it now.

    Its name is a hash of place and content, so two workspaces do not meet in one process, an edited file
    is another module, and a pickle of its classes finds them again. Nothing is written beside the file.
    """
    with _turn:
        content = _content(path)
        name = PREFIX + hashlib.sha256(f"{path.resolve()}\0".encode() + content).hexdigest()[:16]
        if name not in sys.modules:
            sys.modules[name] = module = ModuleType(name)
            module.__file__ = str(path)
            try:
                exec(compile(content, str(path), "exec", dont_inherit=True), module.__dict__)
            except (Exception, SystemExit) as error:  # noqa: BLE001  (an author's code may raise anything)
                del sys.modules[name]
                raise _blamed(error, path) from None
        return sys.modules[name]


def of_package(entry: EntryPoint) -> ModuleType:
    """The module that an entry point names; `ConfigError` when it cannot be imported or is none."""
    try:
        module = entry.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{entry.name!r} of {entry.group} cannot be loaded from {entry.value}: {error}") from None
    if not isinstance(module, ModuleType):
        raise ConfigError(f"{entry.name!r} of {entry.group} is {entry.value}, which is no module")
    return module


def complete(folder: str, module: ModuleType) -> ModuleType:
    """The module itself, once it offers what its folder asks for; else `ConfigError`."""
    missing = [wanted for wanted in OFFERED[folder] if not hasattr(module, wanted)]
    if missing:
        raise ConfigError(f"{module.__file__} does not offer {', '.join(missing)}; see docs/extending.md")
    return module


def blamed(error: BaseException) -> ConfigError | None:
    """One line for an error that a workspace's own extension raised at work, None for one of any other origin."""
    step, path = error.__traceback__, None
    while step is not None:
        if str(step.tb_frame.f_globals.get("__name__", "")).startswith(PREFIX):
            path = step.tb_frame.f_code.co_filename
        step = step.tb_next
    return None if path is None else _blamed(error, Path(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _blamed(error, path) from None


def _blamed(error: BaseException, path: Path) -> ConfigError:
    """The error as one line: file, the last line of it that was run, what was raised there."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(path) else None
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == str(path):
            line = step.tb_lineno
        step = step.tb_next
    place = f"{path}:{line}" if line else str(path)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    reason = " ".join(said.split())[:300]
    return ConfigError(f"{place}: {type(error).__name__}{': ' if reason else ''}{reason}")

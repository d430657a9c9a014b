"""What a worker is and is not given: one thread of the numeric libraries, and an environment without keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from threadpoolctl import threadpool_limits

from harness.ground import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping
    from contextlib import AbstractContextManager

A = TypeVar("A")
B = TypeVar("B")
NEEDED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMP|TEMP|TMPDIR|PYTHON\w+|VIRTUAL_ENV|LD_LIBRARY_PATH|"
    r"DYLD_\w+|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|XDG_CACHE_HOME|"
    r"HF_HOME|HF_HUB_OFFLINE|CUDA_VISIBLE_DEVICES|NUMBER_OF_PROCESSORS|(OMP|OPENBLAS|MKL|BLIS|KMP|NUMEXPR)_\w+",
    re.IGNORECASE,
)
"""The variables that a worker may see. Named one by one, since nobody knows what a key is called."""
RAY = re.compile(r"RAY_(?!AUTH_TOKEN)\w+")
"""What a worker of Ray needs beside these, but for the token of the cluster."""


def kept(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a worker may see."""
    return {name: value for name, value in environment.items() if NEEDED.fullmatch(name)}


def scrub(environment: MutableMapping[str, str]) -> None:
    """Take everything else away, in a process that was started by somebody else."""
    for name in [name for name in environment if not (NEEDED.fullmatch(name) or RAY.fullmatch(name))]:
        del environment[name]


def alone(work: Callable[[A], B], task: A) -> B:
    """The result of the work, computed on one thread: sums in another order would differ in their last digit."""
    with one_thread(), cores.one():
        return work(task)


def outcome(work: Callable[[A], B], task: A) -> tuple[bool, B | Exception]:
    """Whether the work came to a result, and that or what it raised, for whoever asks for the result."""
    try:
        return True, alone(work, task)
    except Exception as error:  # noqa: BLE001  (the work's own boundary: it is raised where the result is asked for)
        return False, error


def one_thread() -> AbstractContextManager[object]:
    """Within, the numeric libraries of this process compute on one thread."""
    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def import_paths(paths: Iterable[str]) -> list[str]:
    """Where a worker looks for modules: where we do."""
    return [path for path in paths if path]

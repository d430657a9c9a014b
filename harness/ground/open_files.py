"""How many files and connections may be open at once: a library that meets the limit may end the whole process."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from importlib import import_module

from harness.errors import ConfigError

WANTED = 4096
LEAST = 64
ROOM = 16  # what opening a store takes, with its log and its threads' files


def allow_many() -> None:
    """Raise this process's own limit as far as the system lets it; `ConfigError` where that is too little to work."""
    try:
        resource = import_module("resource")
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = WANTED if hard == unlimited else min(WANTED, hard)
    if soft != unlimited and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if soft != unlimited and soft < LEAST:
        raise ConfigError(
            f"only {soft} files may be open at once here, and {LEAST} are needed; raise it: ulimit -n 1024"
        )


def check_room(path: str = os.devnull) -> None:
    """Raise the system's own error now, where it is told in one line, if a store could not be opened."""
    with ExitStack() as opened:
        for _ in range(ROOM):
            opened.enter_context(open(path, "rb"))

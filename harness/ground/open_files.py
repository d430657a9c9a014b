"""How many files and connections may be open at once, and that the three standard ones are.

A library that meets the limit may end the whole process.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from importlib import import_module
from typing import TYPE_CHECKING

from harness.errors import ConfigError

if TYPE_CHECKING:
    from typing import TextIO

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


def check_streams() -> None:
    """Open what was closed of the three standard streams, as nowhere.

    The next file that is opened, a store perhaps, would else be what a library writes its messages to.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        with suppress(OSError):
            os.fstat(number)
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def flush_or_discard(stream: TextIO) -> None:
    """Write what a stream holds back; where that cannot be, as on a full disk, let go of it and of what follows."""
    try:
        stream.flush()
    except OSError:
        discard(stream)


def discard(stream: TextIO) -> None:
    """Write no more to a stream: what it still holds back, and what follows, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def check_room(path: str = os.devnull) -> None:
    """Raise the system's own error now, where it is told in one line, if a store could not be opened."""
    with ExitStack() as opened:
        for _ in range(ROOM):
            opened.enter_context(open(path, "rb"))

"""Files with people's texts are their owner's alone: store, ledger, cache of vectors, exports, reports."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHERS = 0o077
# The mask is the process's: the first of several threads sets it, the last one puts it back.
_lock = threading.Lock()
_masks: list[int] = []


@contextmanager
def files() -> Iterator[None]:
    """Whatever is created within, by whichever library, nobody else may read."""
    _enter()
    try:
        yield
    finally:
        _leave()


def close(path: Path) -> None:
    """Take a file that is there away from everybody else; one of another owner stays as it is."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if mode & OTHERS:
            path.chmod(mode & 0o777 & ~OTHERS)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A new file beside `path` that takes its place at the end; after an error `path` is as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _enter() -> None:
    with _lock:
        found = os.umask(OTHERS)
        # What the first found is put back by the last, in whatever order they leave.
        _masks.append(_masks[0] if _masks else found)


def _leave() -> None:
    with _lock:
        mask = _masks.pop()
        if not _masks:
            os.umask(mask)

"""A file's saves: what stands in it, and again whenever that has changed. Nobody is asked to tell us."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOK_EVERY_S = 0.3


class PausingClock(Protocol):
    """The part of a clock that watching needs."""

    def pause(self, seconds: float) -> None:
        """Wait, blocking this thread."""
        ...


def saves(path: Path, clock: PausingClock) -> Iterator[bytes]:
    """What the file holds, at first and after every change of it; it ends with whoever reads it.

    A look costs one question for the file's time and size; it is read when these have changed. A file that
    is away for a moment, as an editor writes it anew, is waited for.
    """
    seen: tuple[int, int] | None = None
    content: bytes | None = None
    while True:
        stamp = _stamp(path)
        if stamp is not None and stamp != seen:
            fresh = _read(path)
            if fresh is not None:
                seen = stamp
                if fresh != content:
                    content = fresh
                    yield fresh
        clock.pause(LOOK_EVERY_S)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None

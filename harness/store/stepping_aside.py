"""A store that somebody reads for hours is written all the same: a copy takes its place, the reader keeps the old file.

DuckDB lets nobody write a file that another process has open for reading, as a notebook or a database viewer does.
With the file held for reading, so that nobody writes it meanwhile, its content is copied and the copy renamed over
it. Who opens the store from then on gets the copy. Nobody opens it while its name goes from one file to the other
(`in_place`): who had the old one, and beside it the log of the new one, would read and write a mixture of both.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

import duckdb

from harness.errors import StoreFull
from harness.ground import private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which renames nothing over a file that is open
    fcntl = None  # type: ignore[assignment]


def is_read_elsewhere(refusal: str) -> bool:
    """Whether the database refuses a file to writers alone: then its holders are readers."""
    return "open this database in read-only mode" in refusal


@contextmanager
def in_place(path: Path, *, is_moved: bool = False) -> Iterator[bool]:
    """Within it the store's name stays with its file; with `is_moved` it is ours alone to give to another file.

    It is a lock on the folder, held for the moment of an opening or a renaming; False where the file system has none.
    """
    if fcntl is None:
        yield False
        return
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX if is_moved else fcntl.LOCK_SH)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(folder)


def step_aside(path: Path) -> bool:
    """Put a copy into the place of a store that is being read; False where that cannot be done now.

    `StoreFull` when there is no room for a copy.
    """
    real = path.resolve()
    with private.files(), in_place(real, is_moved=True) as is_ours:
        held = _held_for_reading(real) if is_ours else None
        if held is None:
            return False
        try:
            # Closing any handle of a file gives up this process's lock on it, so this one stays open to the end.
            with real.open("rb") as old:
                return _replaced(real, old)
        finally:
            held.close()


def _held_for_reading(path: Path) -> duckdb.DuckDBPyConnection | None:
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error:  # somebody writes it: then nobody reads it, and waiting will do
        return None


def _replaced(path: Path, old: BinaryIO) -> bool:
    if path.with_name(path.name + ".wal").exists():
        return False  # the file alone is not the whole store
    with _scratch(path) as copy:
        try:
            with copy.open("wb") as new:
                shutil.copyfileobj(old, new, 1 << 20)
                new.flush()
                os.fsync(new.fileno())
        except OSError as error:
            raise StoreFull(f"{path} is read elsewhere, and there is no room to copy it: {error.strerror}") from None
        os.replace(copy, path)
    return True


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    copy = path.with_name(f".{path.name}.{os.getpid()}.copy")
    try:
        yield copy
    finally:
        with suppress(FileNotFoundError):
            copy.unlink()

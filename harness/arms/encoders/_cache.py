"""Vectors that were computed before, by model and text: one SQLite file, for several processes."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import StoreError
from harness.ground import sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MIGRATIONS = (("create table if not exists vectors (key blob primary key, vector blob not null) without rowid",),)
ASKED_AT_ONCE = 500


class VectorCache:
    """A cache file; opened for each bulk read or write and closed again."""

    def __init__(self, path: Path, model_id: str) -> None:
        self._path = path
        self._model_id = model_id.encode()

    def read(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors that are known, by text."""
        if not self._path.exists():
            return {}
        texts_by_key = {self._key(text): text for text in texts}
        keys = list(texts_by_key)
        found: dict[str, NDArray[np.float32]] = {}
        with self._opened() as connection:
            for start in range(0, len(keys), ASKED_AT_ONCE):
                asked = keys[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(asked))
                rows = connection.execute(f"select key, vector from vectors where key in ({marks})", asked)
                found |= {texts_by_key[key]: np.frombuffer(vector, dtype=np.float32) for key, vector in rows}
        return found

    def write(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors; what another process has written meanwhile stays."""
        rows = [(self._key(text), vector.astype(np.float32).tobytes()) for text, vector in vectors.items()]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._opened() as connection, sqlite.transaction(connection):
            connection.executemany("insert or ignore into vectors values (?, ?)", rows)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            # What is lost in a power cut is computed again, so commits need not be flushed.
            with closing(sqlite.connect(self._path, MIGRATIONS, synchronous="normal")) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StoreError(
                f"{self._path} cannot be used as the cache of embeddings: {error}; delete it, they are computed again"
            ) from None

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(self._model_id + b"\x00" + text.encode("utf-8", "surrogatepass")).digest()

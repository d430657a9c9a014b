"""Vectors that were computed before, by model and text: one SQLite file, for several processes."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import StoreBusy, StoreError
from harness.ground import sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MIGRATIONS = (
    ("create table if not exists vectors (key blob primary key, vector blob not null) without rowid",),
    (
        "create table models (number integer primary key, id text not null unique)",
        "alter table vectors add column model integer",  # null: computed before models were noted
    ),
)
INSERT = "insert or ignore into vectors select ?, ?, number from models where id = ?"
ASKED_AT_ONCE = 500


class VectorCache:
    """A cache file; opened for each bulk read or write and closed again."""

    def __init__(self, path: Path, model_id: str) -> None:
        self._path = path
        self._model_id = model_id

    def read(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors that are known, by text."""
        if not self._path.exists():
            return {}
        texts_by_key = {self._key(text): text for text in texts}
        keys = list(texts_by_key)
        found: dict[str, NDArray[np.float32]] = {}
        with _opened(self._path) as connection:
            for start in range(0, len(keys), ASKED_AT_ONCE):
                asked = keys[start : start + ASKED_AT_ONCE]
                marks = ",".join("?" * len(asked))
                rows = connection.execute(f"select key, vector from vectors where key in ({marks})", asked)
                found |= {texts_by_key[key]: np.frombuffer(vector, dtype=np.float32) for key, vector in rows}
        return found

    def write(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors; what another process has written meanwhile stays."""
        rows = [
            (self._key(text), vector.astype(np.float32).tobytes(), self._model_id) for text, vector in vectors.items()
        ]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _opened(self._path) as connection, sqlite.transaction(connection):
            connection.execute("insert or ignore into models (id) values (?)", [self._model_id])
            connection.executemany(INSERT, rows)

    def _key(self, text: str) -> bytes:
        return _key(self._model_id, text)


def erase(path: Path, texts: Sequence[str], *, dry_run: bool = False) -> int:
    """How many vectors of these texts there were, of any model; they are gone.

    Vectors of an older harness, which did not note their model, cannot be told from others: all of them go.
    """
    if not path.exists() or not texts:
        return 0
    with _opened(path) as connection:
        models = [name for (name,) in connection.execute("select id from models")]
        connection.execute("create temp table asked (key blob primary key)")
        keys = [(_key(model, text),) for model in models for text in texts]
        connection.executemany("insert or ignore into asked values (?)", keys)
        which = "from vectors where model is null or key in (select key from asked)"
        n: int = connection.execute(f"select count(*) {which}").fetchone()[0]
        if not dry_run:
            connection.execute(f"delete {which}")
            if not sqlite.scrub(connection):
                raise StoreBusy(f"{path}: another run uses the embeddings; once it has ended, repeat")
        return n


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        # What is lost in a power cut is computed again, so commits need not be flushed.
        with closing(sqlite.connect(path, MIGRATIONS, synchronous="normal")) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} cannot be used as the cache of embeddings: {error}; delete it, they are computed again"
        ) from None


def _key(model_id: str, text: str) -> bytes:
    return hashlib.sha256(model_id.encode() + b"\x00" + text.encode("utf-8", "surrogatepass")).digest()

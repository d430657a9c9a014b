"""Texts to vectors by an encoder's name, with the cache of vectors or, while something is timed, without.

`minilm`, `onnx/FOLDER`, `sentence-transformers/MODEL`, `openai/MODEL`: the part before the first
slash is a file in `embedders/`, the rest is its business.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from harness import plugins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

DEFAULT = "minilm"
_without_cache = ContextVar("without_cache", default=False)


class Embedder(Protocol):
    """What a file in `embedders/` connects to."""

    @property
    def id(self) -> str:
        """Which weights these are, by their content where they lie on this machine: the cache's key."""
        ...

    @property
    def dim(self) -> int:
        """How long a vector is."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 per text, in order."""
        ...


def connect(encoder: str, cache: Path | None = None) -> Embedder:
    """The encoder of that name; `cache` is the file that keeps vectors between runs."""
    return _connected(encoder, None if _without_cache.get() else cache)


@contextmanager
def uncached() -> Iterator[None]:
    """Within, every vector is computed: a time that was measured on a cache would be a lie."""
    token = _without_cache.set(True)
    try:
        yield
    finally:
        _without_cache.reset(token)


@lru_cache(maxsize=8)
def _connected(encoder: str, cache: Path | None) -> Embedder:
    folder, _, model = encoder.partition("/")
    return cast("Embedder", plugins.load("embedders", folder).connect(cache, model))

"""Texts to vectors by an encoder's name, with the cache of vectors or, while something is timed, without.

`minilm`, `minilm-integer`, `onnx/FOLDER`, `sentence-transformers/MODEL`, `openai/MODEL`: the part before the
first slash is a file in `embedders/`, here or of a workspace's own, the rest is its business.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, Self, cast

from harness.errors import ConfigError
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

DEFAULT = "minilm"
_without_cache = ContextVar("without_cache", default=False)


class Located(str):
    """An encoder's name that knows where its workspace keeps encoders of its own.

    Everywhere else it is the name: in an arm's identity and label, on a table, as a part of an estimator.
    """

    extensions: Path

    def __new__(cls, name: str, extensions: Path) -> Self:
        """The name, as it would be written."""
        located = super().__new__(cls, name)
        located.extensions = extensions
        return located

    @cached_property
    def module(self) -> ModuleType:
        """The encoder's module, looked up once: a look-up for every item would be part of the item's latency."""
        return plugins.load("embedders", self.partition("/")[0], self.extensions)

    def __reduce__(self) -> tuple[type[Self], tuple[str, Path]]:
        return type(self), (str(self), self.extensions)


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
    folder, _, model = encoder.partition("/")
    module = encoder.module if isinstance(encoder, Located) else plugins.load("embedders", folder)
    return _connected(module, model, None if _without_cache.get() else cache)


def shipped(encoder: str) -> tuple[bytes, bytes]:
    """The encoder as two files, an ONNX model and its tokenizer.json; `ConfigError` for one that is no such files."""
    folder, _, model = encoder.partition("/")
    module = encoder.module if isinstance(encoder, Located) else plugins.load("embedders", folder)
    if not hasattr(module, "shipped"):
        raise ConfigError(
            f"encoder {encoder!r} cannot be shipped: it is not an ONNX file with a tokenizer; fit the arm with "
            "--encoder minilm, minilm-integer or onnx/FOLDER"
        )
    return cast("tuple[bytes, bytes]", module.shipped(model))


@contextmanager
def uncached() -> Iterator[None]:
    """Within, every vector is computed: a time that was measured on a cache would be a lie."""
    token = _without_cache.set(True)
    try:
        yield
    finally:
        _without_cache.reset(token)


@lru_cache(maxsize=8)
def _connected(module: ModuleType, model: str, cache: Path | None) -> Embedder:
    return cast("Embedder", module.connect(cache, model))

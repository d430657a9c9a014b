"""What all encoders share: each text once, known vectors from the cache, new ones into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.arms.encoders._cache import VectorCache
from harness.arms.encoders._vectors import normalised, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

STORED_AT_ONCE = 4096


class Encoder:
    """Sentence embeddings of length 1, float32, one row per text.

    `encode` computes the vectors of distinct texts; `weights` names what computes them and is
    part of the cache's key, so no vector is ever taken for another model's.
    """

    def __init__(
        self, weights: str, dim: int, encode: Callable[[Sequence[str]], NDArray[np.float32]], cache: Path | None = None
    ) -> None:
        self.id = weights
        self.dim = dim
        self._encode = encode
        self._cache = VectorCache(cache, weights) if cache is not None else None

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of the texts, in order. A text that occurs twice, or was seen before, costs nothing."""
        distinct = list(dict.fromkeys(texts))
        known = self._known(distinct)
        missing = [text for text in distinct if text not in known]
        for start in range(0, len(missing), STORED_AT_ONCE):
            part = missing[start : start + STORED_AT_ONCE]
            fresh = dict(zip(part, normalised(self._encode(readable(part))), strict=True))
            self.keep(fresh)
            known |= fresh
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.stack([known[text] for text in texts])

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that have no vector in the cache, each once."""
        distinct = list(dict.fromkeys(texts))
        known = self._known(distinct)
        return [text for text in distinct if text not in known]

    def keep(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Put vectors of texts into the cache, if there is one."""
        if self._cache is not None:
            self._cache.write(vectors)

    def _known(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        return self._cache.read(texts) if self._cache is not None else {}

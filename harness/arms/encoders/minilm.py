"""all-MiniLM-L6-v2 (SBERT) with int8 weights and products in single precision: the default encoder.

Mean pooling over all tokens, then length 1, as the model card says.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harness.arms.encoders import _minilm, _transformer
from harness.arms.encoders._encoder import Encoder
from harness.errors import ConfigError
from harness.ground import cores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


def connect(cache: Path | None = None, model: str = "") -> Encoder:
    """The encoder; `cache` is the file that keeps vectors between runs."""
    if model:
        raise ConfigError(f"encoder 'minilm/{model}': minilm is one model; expected minilm alone")
    return Encoder(f"minilm-int8:{_minilm.SHA256[:16]}", _minilm.DIMENSIONS, _encode, cache)


def shipped(model: str = "") -> tuple[bytes, bytes]:  # noqa: ARG001  (it is one model)
    """The weights and the tokenizer, as files."""
    return _minilm.weights(), _minilm.tokenizer().to_str().encode()


def _encode(texts: Sequence[str]) -> NDArray[np.float32]:
    return _transformer.encode(texts, _minilm.tokenizer(), _model(), cores.ours())


@lru_cache(maxsize=1)
def _model() -> _transformer.Model:
    return _transformer.Model(_minilm.weights())

"""Any SBERT model by PyTorch: `sentence-transformers/MODEL`, a name or a folder (an optional extra)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.arms.encoders._encoder import Encoder
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PACKAGE = "sentence_transformers"


def connect(cache: Path | None = None, model: str = "") -> Encoder:
    """The encoder of that name; `ConfigError` says how to install what is missing."""
    if find_spec(PACKAGE) is None:
        raise ConfigError(
            f"encoder 'sentence-transformers/{model}' needs packages that are not installed: "
            "pip install 'prompt-harness[sentence-transformers]'"
        )
    if not model:
        raise ConfigError("encoder 'sentence-transformers' names no model; expected sentence-transformers/MODEL")
    loaded, digest, dim = _loaded(model)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(loaded.encode(list(texts), show_progress_bar=False), dtype=np.float32)

    return Encoder(f"sbert:{digest}", dim, encode, cache)


@lru_cache(maxsize=2)
def _loaded(model: str) -> tuple[Any, str, int]:
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415  (an optional package)

    try:
        loaded = SentenceTransformer(model, device="cpu")
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"encoder 'sentence-transformers/{model}' cannot be loaded: {reason}") from None
    digest = hashlib.sha256()
    for name, tensor in sorted(loaded.state_dict().items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    return loaded, digest.hexdigest()[:16], len(loaded.encode("width"))

"""Any sentence encoder that lies in a folder as ONNX: `onnx/FOLDER` with model.onnx and tokenizer.json.

The file may stand in `onnx/` below the folder, as published models have it. The mean over all
tokens is taken, then length 1; at most as many tokens as tokenizer.json truncates to, else 256.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from onnxruntime.capi import onnxruntime_pybind11_state as ort
from tokenizers import Tokenizer

from harness.arms.encoders import _transformer
from harness.arms.encoders._encoder import Encoder
from harness.errors import ConfigError
from harness.ground import cores

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

LONGEST = 256
UNREADABLE = (ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf, ort.NoModel)


def connect(cache: Path | None = None, model: str = "") -> Encoder:
    """The encoder in folder `model`; `ConfigError` names the file that is missing or cannot be read."""
    weights, vocabulary = _files(Path(model))
    tokenizer, transformer, digest = _loaded(weights, vocabulary)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return _transformer.encode(texts, tokenizer, transformer, cores.ours())

    return Encoder(f"onnx:{digest}", len(encode(["width"])[0]), encode, cache)


def shipped(model: str) -> tuple[bytes, bytes]:
    """The weights and the tokenizer, as files."""
    weights, vocabulary = _files(Path(model))
    tokenizer, _, _ = _loaded(weights, vocabulary)
    return weights.read_bytes(), tokenizer.to_str().encode()


def _files(folder: Path) -> tuple[Path, Path]:
    weights = next((path for path in (folder / "model.onnx", folder / "onnx" / "model.onnx") if path.is_file()), None)
    vocabulary = folder / "tokenizer.json"
    for found, name in ((weights, "model.onnx"), (vocabulary if vocabulary.is_file() else None, "tokenizer.json")):
        if found is None:
            raise ConfigError(
                f"encoder 'onnx/{folder}': there is no {name} in it; expected onnx/FOLDER with both files"
            )
    assert weights is not None
    return weights, vocabulary


@lru_cache(maxsize=4)
def _loaded(weights: Path, vocabulary: Path) -> tuple[Tokenizer, _transformer.Model, str]:
    content, said = weights.read_bytes(), vocabulary.read_bytes()
    try:
        tokenizer = Tokenizer.from_buffer(said)
        transformer = _transformer.Model(content)
    except (ValueError, *UNREADABLE) as error:
        raise ConfigError(f"{weights.parent} cannot be used as an encoder: {error}") from None
    tokenizer.no_padding()
    if tokenizer.truncation is None:
        tokenizer.enable_truncation(LONGEST)
    return tokenizer, transformer, hashlib.sha256(content + said).hexdigest()[:16]

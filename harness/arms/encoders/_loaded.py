"""An encoder made of two files, wherever they come from. This file goes into shipped folders as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from harness.arms.encoders._transformer import Model, encode
from harness.arms.encoders._vectors import normalised, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


def embedder(weights: bytes, vocabulary: bytes) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """A function from texts to vectors of length 1: an ONNX file and a tokenizer.json that says where it truncates."""
    tokenizer = Tokenizer.from_buffer(vocabulary)
    tokenizer.no_padding()
    model = Model(weights)

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        distinct = list(dict.fromkeys(texts))
        vectors = normalised(encode(readable(distinct), tokenizer, model))
        places = {text: place for place, text in enumerate(distinct)}
        return np.asarray(vectors[[places[text] for text in texts]])

    return embed

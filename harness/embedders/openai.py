"""Embeddings from OpenAI's API, or from a server that speaks it (OPENAI_BASE_URL): `openai/MODEL`.

A text is sent once: its vector is kept in the cache, by model and server. What that costs is on
the provider's bill and in no run of ours.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import openai

from harness.embedders._encoder import Encoder
from harness.errors import AuthError, ConfigError, RequestRejected, TransientError
from harness.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

KEY = "OPENAI_API_KEY"
ADDRESS = "OPENAI_BASE_URL"
AT_ONCE = 128
LONGEST = 8_000  # characters: a text of more than 8,192 tokens would be refused, and the others with it


def connect(cache: Path | None = None, model: str = "") -> Encoder:
    """The encoder of that name; `AuthError` when there is no key."""
    if not model:
        raise ConfigError(
            "encoder 'openai' names no model; expected openai/MODEL, such as openai/text-embedding-3-small"
        )
    key, address = os.environ.get(KEY, ""), os.environ.get(ADDRESS, "")
    if not key and not address:
        raise AuthError(f"no key for encoder openai/{model}: set {KEY}, or use the encoder minilm")

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        return _asked(model, key, texts)

    return Encoder(f"openai:{model}@{Redactor([key])(address)}", _width(model, key, address), encode, cache)


@lru_cache(maxsize=4)
def _width(model: str, key: str, address: str) -> int:  # noqa: ARG001  (another server, another width)
    return int(_asked(model, key, ["width"]).shape[1])


def _asked(model: str, key: str, texts: Sequence[str]) -> NDArray[np.float32]:
    rows: list[list[float]] = []
    # An empty text is refused by the API, so a blank is sent in its place.
    sent = [text[:LONGEST] or " " for text in texts]
    try:
        with openai.OpenAI(api_key=key or "none") as client:
            for start in range(0, len(sent), AT_ONCE):
                part = sent[start : start + AT_ONCE]
                reply = client.embeddings.create(model=model, input=part, encoding_format="float")
                rows += [entry.embedding for entry in sorted(reply.data, key=lambda entry: entry.index)]
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise AuthError(f"openai/{model}: {Redactor([key])(str(error))}") from None
    except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
        raise TransientError(f"openai/{model}: {Redactor([key])(str(error))}") from None
    except openai.APIError as error:
        raise RequestRejected(f"openai/{model}: {Redactor([key])(str(error))}") from None
    if len(rows) != len(texts):
        raise RequestRejected(f"openai/{model} gave {len(rows)} vectors for {len(texts)} texts")
    return np.array(rows, dtype=np.float32)

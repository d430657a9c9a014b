"""Embeddings from OpenAI's API, or from a server that speaks it (OPENAI_BASE_URL): `openai/MODEL`.

A text is sent once: its vector is kept in the cache, by model and server. What that costs is on
the provider's bill and in no run of ours.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from harness.arms.encoders._encoder import Encoder
from harness.errors import AuthError, ConfigError, ProviderError
from harness.ground.clock import SystemClock
from harness.ground.redaction import Redactor, public_address
from harness.models.providers import _shapes, _transport, _vendor
from harness.models.providers._openai_chat import client_for, connected
from harness.types import Model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.models.providers._sdk import Wire
    from harness.models.providers._shapes import Table

KEY = "OPENAI_API_KEY"
ADDRESS = "OPENAI_BASE_URL"
OFFICIAL = "https://api.openai.com/v1"
AT_ONCE = 128
LONGEST = 8_000  # characters: a text of more than 8,192 tokens would be refused, and the others with it
MOST_BYTES = 64 * _transport.MIB  # 128 vectors of 3,072 numbers, written out, are a seventh of it
TIMEOUT_S = 60.0
ATTEMPTS, FIRST_PAUSE_S, LONGEST_PAUSE_S = 4, 0.5, 30.0


def connect(cache: Path | None = None, model: str = "") -> Encoder:
    """The encoder of that name; `AuthError` when there is no key."""
    if not model:
        raise ConfigError(
            "encoder 'openai' names no model; expected openai/MODEL, such as openai/text-embedding-3-small"
        )
    key, address = _vendor.secret(KEY), os.environ.get(ADDRESS, "")
    if not key and not address:
        raise AuthError(f"no key for encoder openai/{model}: set {KEY}, or use the encoder minilm")
    shown = public_address(address, "") if address else ""
    width = _width(model, key, address)
    return Encoder(f"openai:{model}@{Redactor([key])(shown)}", width, partial(_asked, model, key, address), cache)


@lru_cache(maxsize=4)
def _width(model: str, key: str, address: str) -> int:
    return int(_asked(model, key, address, ["width"]).shape[1])


def _asked(model: str, key: str, address: str, texts: Sequence[str]) -> NDArray[np.float32]:
    # An empty text is refused by the API, so a blank is sent in its place.
    sent = [text[:LONGEST] or " " for text in texts]
    # Encoders are called from plain functions, which may run inside an event loop: the calls have one of their own.
    with ThreadPoolExecutor(1, "embeddings") as thread:
        return thread.submit(asyncio.run, _vectors(model, key, address, sent)).result()


async def _vectors(model: str, key: str, address: str, texts: Sequence[str]) -> NDArray[np.float32]:
    served = Model("openai", model, public_address(address, OFFICIAL) if address else "")
    async with client_for(address or OFFICIAL, key, TIMEOUT_S, MOST_BYTES) as client:
        wire = connected(client, served, address, (KEY, key))
        parts = [texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE)]
        return np.concatenate([await _part(wire, model, part) for part in parts])


async def _part(wire: Wire, model: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of a few texts; an outage is waited for, as long as it takes three times to ask again."""
    body = {"model": model, "input": list(texts), "encoding_format": "float"}
    clock = SystemClock()
    for attempt in range(ATTEMPTS):
        try:
            vectors, _ = await wire.ask("/embeddings", body, lambda payload, _: _read(payload, len(texts)))
            return vectors
        except ProviderError as error:
            if not error.retryable or attempt + 1 == ATTEMPTS:
                raise
            asked_s = getattr(error, "retry_after_s", None) or 0.0
            await clock.sleep(min(max(FIRST_PAUSE_S * 2**attempt, asked_s), LONGEST_PAUSE_S))
    raise AssertionError("unreachable")


def _read(payload: Table, n: int) -> NDArray[np.float32]:
    """The vectors in the order of the texts; `UnreadableError` for anything that is not one vector for each."""
    listed = payload.get("data")
    entries = [_shapes.table(entry, "a vector's entry") for entry in listed] if isinstance(listed, list) else []
    by_index = {entry.get("index"): entry.get("embedding") for entry in entries if isinstance(entry.get("index"), int)}
    if len(entries) != n or by_index.keys() != set(range(n)):
        raise _shapes.UnreadableError(f"found {len(entries)} vectors for {n} texts")
    try:
        vectors = np.array([by_index[i] for i in range(n)], dtype=np.float32)
    except (ValueError, TypeError, OverflowError):
        raise _shapes.UnreadableError("the vectors are not lists of as many numbers each") from None
    if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
        raise _shapes.UnreadableError("the vectors are not lists of as many finite numbers each")
    return vectors

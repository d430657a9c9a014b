"""Texts embedded by an executor's workers, in blocks. The caller alone writes the workspace's cache of vectors.

Blocks are made of the texts that lack a vector, by length: they are the same whoever computes them, and so are vectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.arms import encoding
from harness.arms.encoders._encoder import Encoder
from harness.runs import executors

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harness.ground.workspace import Workspace
    from harness.runs.executors import Executor

LOCAL = ("minilm", "minilm-integer", "onnx", "sentence-transformers")
"""The encoders that compute where they are; the others ask a server, with a key that no worker has."""
BLOCK = 256


@dataclass(frozen=True, slots=True)
class Block:
    """Texts that are embedded together."""

    encoder: encoding.Located
    texts: tuple[str, ...]


def is_local(encoder: str) -> bool:
    """Whether workers can embed with it."""
    return encoder.partition("/")[0] in LOCAL


def ahead(encoder: str, workspace: Workspace, texts: Sequence[str], executor: Executor) -> None:
    """See to it that the workspace's cache has the vectors of these texts, for whoever asks for them next."""
    located = encoding.Located(encoder, workspace.extensions)
    workspace.results.mkdir(parents=True, exist_ok=True)
    cached = encoding.connect(located, workspace.embeddings)
    if not is_local(encoder) or not isinstance(cached, Encoder):
        cached.embed(texts)
        return
    missing = sorted(cached.missing(texts), key=lambda text: (len(text), text))
    blocks = [Block(located, tuple(missing[start : start + BLOCK])) for start in range(0, len(missing), BLOCK)]
    # The longest first, so that no worker has much to do when the others have nothing left.
    for done in executors.as_done(executor, embedded, blocks[::-1]):
        assert done is not None, "nobody looks up"
        block, vectors = done
        cached.keep(dict(zip(block.texts, vectors, strict=True)))


def embedded(block: Block) -> NDArray[np.float32]:
    """The vectors of a block, computed here and now."""
    with encoding.uncached():
        return encoding.connect(block.encoder).embed(block.texts)

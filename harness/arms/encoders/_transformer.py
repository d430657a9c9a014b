"""A transformer as an ONNX file: token ids in, the mean of the tokens' vectors out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

BATCH_TOKENS = 512  # what a core's cache holds: larger batches are slower
CORES = os.cpu_count() or 1


class Model:
    """An ONNX file that is ready to run. Few texts share all cores; of many, each core takes batches of its own."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._all_cores = _session(content, CORES)

    def run(self, batches: Sequence[Sequence[Sequence[int]]], cores: int = CORES) -> list[NDArray[np.float32]]:
        """The vectors of each batch of token ids, so many batches at once."""
        if len(batches) == 1:
            return [_pooled(batches[0], self._all_cores)]
        session = self._one_core
        with ThreadPoolExecutor(cores) as pool:  # the session lets go of Python while it computes
            return list(pool.map(lambda batch: _pooled(batch, session), batches))

    @cached_property
    def _one_core(self) -> Any:  # noqa: ANN401  (onnxruntime has no types)
        return _session(self._content, 1)


def _session(content: bytes, threads: int) -> Any:  # noqa: ANN401
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that wait for work by spinning would keep the cores from whoever reads the vectors.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def encode(texts: Sequence[str], tokenizer: Tokenizer, model: Model, cores: int = CORES) -> NDArray[np.float32]:
    """The vectors of texts, sorted by length meanwhile, so that a batch wastes little on padding."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
    batches = _batches(order, [len(row) for row in ids])
    parts = model.run([[ids[i] for i in batch] for batch in batches], cores)
    vectors = np.empty((len(texts), parts[0].shape[1]), dtype=np.float32)
    for batch, rows in zip(batches, parts, strict=True):
        vectors[batch] = rows
    return vectors


def _batches(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    for i in order:
        # The longest comes last, so its length times the rows is what the batch will cost.
        if not batches or (len(batches[-1]) + 1) * lengths[i] > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(i)
    return batches


def _pooled(ids: Sequence[Sequence[int]], session: Any) -> NDArray[np.float32]:  # noqa: ANN401
    width = max(len(row) for row in ids)
    tokens = np.zeros((len(ids), width), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for i, row in enumerate(ids):
        tokens[i, : len(row)] = row
        mask[i, : len(row)] = 1
    feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
    wanted = {entry.name for entry in session.get_inputs()}
    hidden = session.run(None, {name: value for name, value in feed.items() if name in wanted})[0]
    if hidden.ndim == 3:
        weights = mask[:, :, None].astype(np.float32)
        hidden = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    return np.asarray(hidden, dtype=np.float32)

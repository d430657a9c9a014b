"""A transformer as an ONNX file: token ids in, the mean of the tokens' vectors out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

BATCH_TOKENS = 2048


def session(content: bytes) -> Any:  # noqa: ANN401  (onnxruntime has no types)
    """A session on all cores for the bytes of an ONNX file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def encode(texts: Sequence[str], tokenizer: Tokenizer, model: Any) -> NDArray[np.float32]:  # noqa: ANN401
    """The vectors of texts, sorted by length meanwhile, so that a batch wastes little on padding."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
    parts = [(batch, _pooled([ids[i] for i in batch], model)) for batch in _batches(order, [len(row) for row in ids])]
    vectors = np.empty((len(texts), parts[0][1].shape[1]), dtype=np.float32)
    for batch, rows in parts:
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


def _pooled(ids: Sequence[Sequence[int]], model: Any) -> NDArray[np.float32]:  # noqa: ANN401
    width = max(len(row) for row in ids)
    tokens = np.zeros((len(ids), width), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for i, row in enumerate(ids):
        tokens[i, : len(row)] = row
        mask[i, : len(row)] = 1
    feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
    wanted = {entry.name for entry in model.get_inputs()}
    hidden = model.run(None, {name: value for name, value in feed.items() if name in wanted})[0]
    if hidden.ndim == 3:
        weights = mask[:, :, None].astype(np.float32)
        hidden = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    return np.asarray(hidden, dtype=np.float32)

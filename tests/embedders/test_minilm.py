import os
from pathlib import Path

import numpy as np
import pytest

from harness import plugins
from harness.embedders import minilm
from harness.errors import ConfigError

SENTENCES = [
    "The cat sits outside",
    "A man is playing guitar",
    "The new movie is awesome",
    "The new film is so great",
]
# Measured with the pinned weights. Integer kernels differ a little from processor to processor.
COSINES = {(0, 1): 0.036, (0, 2): -0.024, (1, 2): 0.008, (2, 3): 0.867}

TEXTS = ["Where is my card?", "😀", "", "naïve Ünïcode 中文字", "a" * 50_000, "word " * 5_000, "\ud800 half"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [101, 102]),
        ("Hello, World!", [101, 7592, 1010, 2088, 999, 102]),
        ("embeddings", [101, 7861, 8270, 4667, 2015, 102]),
        ("naïve Ünïcode", [101, 15743, 27260, 102]),
        ("中文", [101, 1746, 1861, 102]),
        ("a" * 101, [101, 100, 102]),
    ],
)
def test_token_ids(text, ids):
    """Lower case, no accents, Chinese signs one by one, pieces from the vocabulary, [CLS] and [SEP] around."""
    assert minilm._tokenizer().encode(text).ids == ids


def test_at_most_256_tokens():
    """A longer text is cut, and keeps its [SEP]."""
    ids = minilm._tokenizer().encode("word " * 1000).ids
    assert len(ids) == 256
    assert ids[-1] == 102


def test_cosines_of_known_sentences():
    """The vectors say what they said when the weights were pinned."""
    vectors = minilm.connect().embed(SENTENCES)
    found = vectors @ vectors.T
    for pair, cosine in COSINES.items():
        assert found[pair] == pytest.approx(cosine, abs=0.02), pair


@pytest.mark.parametrize("name", plugins.names("embedders"))
def test_vectors_have_length_one(name):
    """One float32 row of length 1 per text, whatever the text holds."""
    embedder = plugins.load("embedders", name).connect()
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


@pytest.mark.parametrize("name", plugins.names("embedders"))
def test_a_vector_does_not_depend_on_its_batch(name):
    """All at once or one by one, in any order: the same rows."""
    embedder = plugins.load("embedders", name).connect()
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    backwards = embedder.embed(TEXTS[::-1])[::-1]
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(together - backwards).max() < 1e-5


def test_no_texts_no_rows():
    """An empty list gives an array without rows, and of the right width."""
    assert minilm.connect().embed([]).shape == (0, 384)


def test_a_text_is_encoded_once(monkeypatch):
    """A text that occurs three times in a list reaches the model once."""
    seen = []
    encode = minilm._encode
    monkeypatch.setattr(minilm, "_encode", lambda texts: seen.extend(texts) or encode(texts))
    vectors = minilm.connect().embed(["twice", "once", "twice", "twice"])
    assert sorted(seen) == ["once", "twice"]
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] != vectors[1]).any()


def test_other_bytes_are_refused(tmp_path):
    """A model file that is not the pinned one is named, with the way out."""
    (tmp_path / "model.onnx").write_bytes(b"not the model")
    with pytest.raises(ConfigError, match=r"model\.onnx is not the file that is pinned .*reinstall"):
        minilm._checked(tmp_path / "model.onnx", minilm.SHA256)


@pytest.mark.skipif("MINILM_TOKENIZER" not in os.environ, reason="set MINILM_TOKENIZER to the model's tokenizer.json")
def test_tokens_equal_the_reference():
    """Token ids equal those of the tokenizer that the model was published with."""
    reference = minilm.Tokenizer.from_file(os.environ["MINILM_TOKENIZER"])
    reference.no_padding()
    reference.enable_truncation(256)
    texts = [*SENTENCES, *TEXTS[:-1], "don't stop-me now!!! #tag @user", "\u200b zero ﬁ", Path(__file__).read_text()]
    ours = minilm._tokenizer()
    assert [ours.encode(text).ids for text in texts] == [reference.encode(text).ids for text in texts]

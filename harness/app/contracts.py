"""What an extension from outside must keep, as checks that its author can run.

`pytest --harness-contract baselines/my-arm` runs them (see `pytest_plugin`); each raises
`AssertionError` with a sentence that says what was found.
"""

from __future__ import annotations

import inspect
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.ground import extensions
from harness.types import Item

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

TEXTS = {
    "billing": ("I was charged twice", "please refund my payment", "the invoice is wrong", "why was I billed"),
    "bug": ("the app crashes", "an error appears", "the page stays blank", "the button does nothing"),
}
LABELS = [label for label, texts in TEXTS.items() for _ in texts]
ITEMS = [Item(f"i{i}", text, ("tag",)) for i, text in enumerate(text for texts in TEXTS.values() for text in texts)]


def checks(folder: str) -> dict[str, Callable[[str, ModuleType], None]]:
    """The checks of a folder's extensions, by what they check; each takes the extension's name and its module."""
    found: dict[str, Callable[[str, ModuleType], None]] = {"offers what is asked for": partial(_offers, folder)}
    if folder == "baselines":
        found |= {
            "scores are shares, one column a label": _scores,
            "the same seed gives the same scores": _is_repeatable,
            "an item alone and no item at all": _sizes,
            "it can be pickled, fitted or not": _pickles,
        }
    if folder == "embedders":
        found["vectors of the length it says, equal for equal texts"] = _vectors
    return found


def _offers(folder: str, name: str, module: ModuleType) -> None:
    missing = [wanted for wanted in extensions.OFFERED[folder] if not hasattr(module, wanted)]
    assert not missing, f"{name} does not offer {', '.join(missing)}"
    if folder == "baselines":
        assert "seed" in inspect.signature(module.build).parameters, f"{name}: build takes no seed"


def _fitted(module: ModuleType) -> Any:  # noqa: ANN401  (any classifier)
    classifier = module.build(seed=0)
    classifier.fit(ITEMS, LABELS)
    return classifier


def _scores(name: str, module: ModuleType) -> None:
    classifier = _fitted(module)
    scores = np.asarray(classifier.predict_proba(ITEMS))
    classes = list(classifier.classes_)
    assert set(map(str, classes)) <= set(LABELS), (
        f"{name}: classes_ are {classes}, and the labels {sorted(set(LABELS))}"
    )
    shape = (len(ITEMS), len(classes))
    assert scores.shape == shape, f"{name}: predict_proba has shape {scores.shape}; expected {shape}"
    assert np.isfinite(scores).all(), f"{name}: a score is not a finite number"
    assert ((scores >= 0) & (scores <= 1 + 1e-9)).all(), f"{name}: a score is not between 0 and 1"


def _is_repeatable(name: str, module: ModuleType) -> None:
    one, other = (np.asarray(_fitted(module).predict_proba(ITEMS)) for _ in range(2))
    assert np.allclose(one, other), f"{name}: two fits with seed 0 differ by up to {np.abs(one - other).max():.3g}"


def _sizes(name: str, module: ModuleType) -> None:
    classifier = _fitted(module)
    alone, together = classifier.predict_proba(ITEMS[:1]), classifier.predict_proba(ITEMS)[:1]
    assert np.allclose(alone, together), f"{name}: an item alone has other scores than among others"


def _pickles(_: str, module: ModuleType) -> None:
    for classifier in (module.build(seed=0), _fitted(module)):
        pickle.loads(pickle.dumps(classifier))


def _vectors(name: str, module: ModuleType) -> None:
    embedder = module.connect()
    vectors = np.asarray(embedder.embed(["one text", "another", "one text"]))
    assert vectors.shape == (3, embedder.dim), f"{name}: vectors of shape {vectors.shape}; expected (3, {embedder.dim})"
    assert np.allclose(vectors[0], vectors[2]), f"{name}: equal texts have different vectors"

"""An encoder: `connect()` gives one that makes vectors of texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject


def _vectors(subject: Subject) -> None:
    embedder, name = subject.module.connect(), subject.name
    assert isinstance(embedder.id, str), f"{name}: id is {embedder.id!r}; expected a text"
    vectors = np.asarray(embedder.embed(["one text", "another", "one text", ""]))
    assert vectors.shape == (4, embedder.dim), f"{name}: vectors of shape {vectors.shape}; expected (4, {embedder.dim})"
    assert np.isfinite(vectors).all(), f"{name}: a vector holds what is no number"
    assert np.allclose(vectors[0], vectors[2]), f"{name}: equal texts have different vectors"


CHECKS = {"vectors of the length it says, equal for equal texts": _vectors}

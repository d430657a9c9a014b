"""Texts made readable, and vectors of length 1. This file goes into shipped folders as it is: numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def readable(texts: Sequence[str]) -> list[str]:
    """The texts with question marks for lone surrogates, which JSON can carry and which are no Unicode."""
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows, each of length 1."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)

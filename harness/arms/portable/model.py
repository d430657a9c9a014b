"""A fitted classifier put together again from what was kept of it: a description and arrays.

This file goes into shipped folders as it is: beside its two neighbours it imports numpy, nothing else. Nothing
that is read here is executed: a description names one of the kinds below, and arrays are numbers.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.arms.portable.answer import FittedBefore, of_row
from harness.arms.portable.features import Counts, product
from harness.arms.portable.heads import nearest, nearest_centre, of_margins, sigmoid, softened, softmax, votes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.arms.portable.answer import Answer, Readable

    Arrays = Mapping[str, NDArray[Any]]
    Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class Portable(FittedBefore):
    """A classifier over items that answers as the one did that it was kept from."""

    def __init__(self, spec: Mapping[str, Any], arrays: Arrays, embed: Embed, prefix: str = "") -> None:
        """`embed` gives the vectors of texts, each of length 1; a classifier that counts words never asks it."""
        self.spec = spec
        self.classes_: Sequence[str] = list(spec["classes"])
        self._arrays = {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}
        self._embed = embed
        self._scores: Callable[[Sequence[Readable]], NDArray[Any]] = getattr(self, f"_{KINDS[spec['kind']]}")
        self._counts = [
            Counts(one, self._arrays.get(f"idf{place}")) for place, one in enumerate(spec.get("vectorizers", ()))
        ]
        self._of = Portable(spec["of"], arrays, embed, f"{prefix}of/") if "of" in spec else None

    def predict_proba(self, items: Sequence[Readable]) -> NDArray[np.float64]:
        """Scores, one row per item; a row of zeros says that there is no answer."""
        if len(items) == 0:
            return np.zeros((0, len(self.classes_)))
        return np.asarray(self._scores(items), dtype=np.float64)

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """For each item the class with the highest score."""
        return [of_row(row, self.classes_) for row in self.predict_proba(items)]

    def _calibrated(self, items: Sequence[Readable]) -> NDArray[Any]:
        assert self._of is not None  # a calibration is of something
        scores = self._of.predict_proba(items)
        temperature, spread = self.spec["temperature"], self.spec["spread"]
        return scores if (temperature, spread) == (1.0, 0.0) else softened(scores, temperature, spread)

    def _constant(self, items: Sequence[Readable]) -> NDArray[Any]:
        return np.tile(self._arrays["shares"], (len(items), 1))

    def _guess(self, items: Sequence[Readable]) -> NDArray[Any]:
        draws = [drawn("random", str(self.spec["seed"]), item.id) for item in items]
        scores = np.zeros((len(items), len(self.classes_)))
        scores[np.arange(len(items)), np.searchsorted(self._arrays["cumulative"], draws, side="right")] = 1.0
        return scores

    def _tag_odds(self, items: Sequence[Readable]) -> NDArray[Any]:
        columns, scores = self._tags, np.zeros((len(items), len(self.classes_)))
        for row, item in zip(scores, items, strict=True):
            known = sorted({columns[tag.lower()] for tag in item.tags if tag.lower() in columns})
            if known:
                row[:] = softmax(self._arrays["prior"][None] + self._arrays["given"][:, known].sum(axis=1)[None])[0]
        return scores

    @cached_property
    def _tags(self) -> dict[str, int]:
        return {tag: column for column, tag in enumerate(self.spec["tags"])}

    def _counted(self, items: Sequence[Readable]) -> NDArray[Any]:
        weights, intercepts = self._arrays["weights"], self._arrays["intercepts"]
        margins = [product(self._counts, words(item).lower(), weights) for item in items]
        return of_margins(self.spec["how"], np.stack(margins) + intercepts)

    def _linear(self, items: Sequence[Readable]) -> NDArray[Any]:
        margins = self._vectors(items) @ self._arrays["weights"].T + self._arrays["intercepts"]
        return of_margins(self.spec.get("how", "softmax"), margins)

    def _votes(self, items: Sequence[Readable]) -> NDArray[Any]:
        return votes(self._vectors(items), self._arrays["vectors"], self._arrays["codes"], self.spec)

    def _clusters(self, items: Sequence[Readable]) -> NDArray[Any]:
        shares: NDArray[Any] = self._arrays["shares"]
        return shares[nearest_centre(self._vectors(items), self._arrays["centres"])]

    def _labels(self, items: Sequence[Readable]) -> NDArray[Any]:
        cosines = self._vectors(items) @ self._arrays["vectors"].T
        return softmax(cosines.astype(np.float64) / self.spec["temperature"])

    def _tag_chances(self, items: Sequence[Readable]) -> NDArray[Any]:
        """The chance of each label against its absence; nan where no tag is known."""
        columns, chances = self._tags, np.full((len(items), len(self.classes_)), np.nan)
        for row, item in zip(chances, items, strict=True):
            known = sorted({columns[tag.lower()] for tag in item.tags if tag.lower() in columns})
            if known:
                row[:] = sigmoid(self._arrays["weights"][known].sum(axis=0) + self._arrays["intercepts"])
        return chances

    def _shares(self, items: Sequence[Readable]) -> NDArray[Any]:
        """The share of the nearest known rows that have each label."""
        shares, held = np.zeros((len(items), len(self.classes_))), self._arrays["held"].astype(np.float64)
        k, temperature = self.spec["k"], self.spec["temperature"]
        for row, others, weights in nearest(self._vectors(items), self._arrays["vectors"], k, temperature):
            shares[row] = weights @ held[others]
        return shares

    def _similar(self, items: Sequence[Readable]) -> NDArray[Any]:
        """How near each label's words are by cosine, from 0 to 1."""
        cosines = self._vectors(items) @ self._arrays["vectors"].T
        return np.asarray((1 + cosines.astype(np.float64)) / 2)

    def _vectors(self, items: Sequence[Readable]) -> NDArray[np.float32]:
        return self._embed([words(item) for item in items])


KINDS = {
    name: name
    for name in (
        *("calibrated", "constant", "guess", "tag_odds", "counted", "linear", "votes", "clusters", "labels"),
        *("tag_chances", "shares", "similar"),
    )
}
"""The kinds of classifiers, each by the method that scores it; the last three give every label a chance of its own."""


def vectors_of(embed: Embed) -> Callable[[Sequence[Readable]], NDArray[np.float32]]:
    """The vectors of items."""
    return lambda items: embed([words(item) for item in items])


def words(item: Readable) -> str:
    """Text and tags as one text: what classifiers and encoders read."""
    return " ".join((item.text, *item.tags))


def drawn(*parts: str) -> float:
    """A number in [0, 1) that depends on the parts alone (`ids.unit_interval`, whose form is a contract)."""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") / 2**56

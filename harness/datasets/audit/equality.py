"""Equal texts, found without a search: what every report can afford to know about its split."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.types import Dataset

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Defects:
    """The rows of a dataset whose answers count for more than they should, by id.

    `leaked` rows stand in the training split too; `repeated` ones repeat an earlier row of their
    own split. `near` is the cosine that counted as the same text; None: equal texts only, but for
    case and blanks. `suspects` are rows whose label an audit takes for wrong, `torn` ones rows whose text stands
    under another label too; both are empty without an audit.
    """

    leaked: frozenset[str]
    repeated: frozenset[str]
    near: float | None = None
    suspects: frozenset[str] = frozenset()
    torn: frozenset[str] = frozenset()


def normal_form(text: str) -> str:
    """The text without case and without extra blanks, in Unicode's composed form."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def equal_rows(dataset: Dataset) -> Defects:
    """The rows that are equal to a training row, or to an earlier row of their split."""
    seen: dict[str, set[str]] = {}
    normal = [normal_form(example.item.words) for example in dataset.examples]
    learned = {text for text, example in zip(normal, dataset.examples, strict=True) if example.split == TRAIN}
    leaked, repeated = set(), set()
    for text, example in zip(normal, dataset.examples, strict=True):
        here = seen.setdefault(example.split, set())
        if text in here:
            repeated.add(example.item.id)
        here.add(text)
        if example.split != TRAIN and text in learned:
            leaked.add(example.item.id)
    return Defects(frozenset(leaked), frozenset(repeated))

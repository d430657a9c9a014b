"""A conditional random field over tokens, learnt by CRFsuite (an optional extra).

CRFsuite (Okazaki 2007) on words, their shapes, beginnings and ends, two neighbours on either side, and the item's
further fields; a value is a run of tokens with its place. How sure it is, is the probability of all its tags together.
"""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator

from harness.arms.answers import Answer
from harness.arms.baselines import _spans
from harness.arms.baselines._spans import Span
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.arms.baselines._spans import Token
    from harness.types import Item

REQUIRES = "pycrfsuite"
OUTSIDE = "O"
C1, C2, ROUNDS = 0.1, 0.01, 50


def chain(arm: str, c1: float = C1, c2: float = C2, rounds: int = ROUNDS) -> Crf:
    """A chain of tags, not fitted; `ConfigError` where its package is not installed."""
    if find_spec(REQUIRES) is None:
        raise ConfigError(f"arm {arm} needs python-crfsuite, which is not installed: pip install 'prompt-harness[crf]'")
    return Crf(c1, c2, rounds)


class Crf(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """CRFsuite's chain, kept as the bytes of its model file."""

    def __init__(self, c1: float = C1, c2: float = C2, rounds: int = ROUNDS) -> None:
        self.c1 = c1
        self.c2 = c2
        self.rounds = rounds

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "tagger_"}

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Learn the tags that gold values come to."""
        trainer = import_module(REQUIRES).Trainer(verbose=False)
        order = sorted(range(len(items)), key=lambda i: items[i].id)  # the order of the items must mean nothing
        for i in order:
            found = _spans.tokens(items[i].text)
            if found:
                trainer.append(features(items[i], found), tags(_spans.of_gold(labels[i], found), len(found)))
        trainer.set_params(
            {"c1": self.c1, "c2": self.c2, "max_iterations": self.rounds, "feature.possible_transitions": True}
        )
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "crf")
            trainer.train(path)
            with open(path, "rb") as file:
                self.model_ = file.read()
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The values of each item, with their places."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Item) -> Answer:
        found = _spans.tokens(item.text)
        if not found:
            return Answer("{}", 1.0)
        tagger = self._tagger()
        tagged = tagger.tag(features(item, found))
        return Answer(_spans.answer(item.text, found, spans(tagged)), min(float(tagger.probability(tagged)), 1.0))

    def _tagger(self) -> Any:  # noqa: ANN401  (the package has no types)
        if not hasattr(self, "tagger_"):
            self.tagger_ = import_module(REQUIRES).Tagger()
            self.tagger_.open_inmemory(self.model_)
        return self.tagger_


def tags(held: Sequence[Span], n: int) -> list[str]:
    """A tag per token: `B-field` where a value begins, `I-field` where it goes on, `O` outside."""
    found = [OUTSIDE] * n
    for span in held:
        found[span.first] = f"B-{span.field}"
        for place in range(span.first + 1, span.last + 1):
            found[place] = f"I-{span.field}"
    return found


def spans(tagged: Sequence[str]) -> list[Span]:
    """The values that tags say; one that goes on without a beginning begins there."""
    found: list[Span] = []
    for place, tag in enumerate(tagged):
        head, _, field = tag.partition("-")
        goes_on = bool(found) and found[-1].last == place - 1 and found[-1].field == field
        if head == "I" and goes_on:
            found[-1] = Span(field, found[-1].first, place)
        elif head in ("B", "I"):
            found.append(Span(field, place, place))
    return found


def features(item: Item, found: Sequence[Token]) -> list[list[str]]:
    """What each token shows: itself, its neighbours, and what the item's further fields say."""
    words = [_readable(_spans.folded(token.text)) for token in found]
    shapes = [_readable(shape(token.text)) for token in found]
    given = [f"{name}={_readable(part.strip().casefold())}" for name, part in _parts(item.fields)]
    context = [*given, f"length={min(len(words), 5)}", *(f"alone {one}" for one in given if len(words) <= 3)]
    return [[*_own(words[i], shapes[i]), *_around(words, shapes, i), *context] for i in range(len(words))]


def shape(text: str) -> str:
    """`Xxxx` for a capitalised word of any length, `dd` for two digits: runs longer than four are cut."""
    return "".join("X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in text[:4])


def _readable(text: str) -> str:
    """The text as CRFsuite can read it: it knows no lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _own(word: str, form: str) -> list[str]:
    ends = [f"{name}{n}={part}" for n in (1, 2, 3) for name, part in (("pre", word[:n]), ("suf", word[-n:]))]
    return [f"w={word}", f"s={form}", *ends]


def _around(words: Sequence[str], shapes: Sequence[str], i: int) -> list[str]:
    found = []
    for step in (-3, -2, -1, 1, 2, 3):
        place = i + step
        is_in = 0 <= place < len(words)
        found.append(f"w{step}={words[place] if is_in else '|'}")
        if is_in and abs(step) < 3:
            found.append(f"s{step}={shapes[place]}")
    before = words[i - 1] if i else "|"
    after = words[i + 1] if i + 1 < len(words) else "|"
    return [*found, f"b={before} {words[i]}", f"a={words[i]} {after}", f"ba={before} {after}"]


def _parts(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, part) for name, text in sorted(fields.items()) for part in text.split(",") if part.strip()]

"""A conditional random field over tokens, as CRFsuite keeps it (an optional package).

CRFsuite (Okazaki 2007) on words, their shapes, beginnings and ends, two neighbours on either side, and the item's
further fields; a value is a run of tokens with its place. How sure it is, is the probability of all its tags together.

This file goes into shipped folders as it is: beside its neighbours it imports that package, nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from harness.arms.portable.answer import Answer, FittedBefore
from harness.arms.portable.spans import Span, folded, of_spans, tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.arms.portable.answer import Readable
    from harness.arms.portable.spans import Token

CRFSUITE = "pycrfsuite"


class Chain(FittedBefore):
    """A chain of tags, `model` being the bytes of CRFsuite's own file: numbers and names, no code."""

    def __init__(self, model: bytes) -> None:
        self.model = model
        self._tagger: Any = None

    def __reduce__(self) -> tuple[type[Chain], tuple[bytes]]:
        return Chain, (self.model,)

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """The values of each item, with their places."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Readable) -> Answer:
        found = tokens(item.text)
        if not found:
            return Answer("{}", 1.0)
        if self._tagger is None:
            self._tagger = import_module(CRFSUITE).Tagger()
            self._tagger.open_inmemory(self.model)
        tagged = self._tagger.tag(token_features(item, found))
        sure = min(float(self._tagger.probability(tagged)), 1.0)
        return Answer(of_spans(item.text, found, tagged_spans(tagged)), sure)


def tagged_spans(tagged: Sequence[str]) -> list[Span]:
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


def token_features(item: Readable, found: Sequence[Token]) -> list[list[str]]:
    """What each token shows: itself, its neighbours, and what the item's further fields say."""
    words = [whole(folded(token.text)) for token in found]
    shapes = [whole(word_shape(token.text)) for token in found]
    given = [f"{name}={whole(part.strip().casefold())}" for name, part in _field_parts(item.fields)]
    context = [*given, f"length={min(len(words), 5)}", *(f"alone {one}" for one in given if len(words) <= 3)]
    return [[*_own(words[i], shapes[i]), *_around(words, shapes, i), *context] for i in range(len(words))]


def word_shape(text: str) -> str:
    """`Xxxx` for a capitalised word of any length, `dd` for two digits: runs longer than four are cut."""
    return "".join("X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in text[:4])


def whole(text: str) -> str:
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


def _field_parts(fields: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, part) for name, text in sorted(fields.items()) for part in text.split(",") if part.strip()]

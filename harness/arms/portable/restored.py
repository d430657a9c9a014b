"""Any fitted classifier put together again from its description and arrays, by the kind that the description names.

This file goes into shipped folders as it is: beside its neighbours it imports nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.arms.portable.answer import Answer, FittedBefore
from harness.arms.portable.chain import Chain
from harness.arms.portable.label_sets import LabelSets
from harness.arms.portable.look_up import LookUp
from harness.arms.portable.model import Portable, vectors_of
from harness.arms.portable.numbers import NearestNumbers, Ridge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.arms.portable.answer import Readable
    from harness.arms.portable.model import Arrays, Embed

    Spec = Mapping[str, Any]


class Same(FittedBefore):
    """The same answer for every item."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def answers(self, items: Sequence[Readable]) -> list[Answer]:
        """The answer, as often as there are items."""
        return [self._answer] * len(items)


def restored_from(spec: Spec, arrays: Arrays, embed: Embed) -> FittedBefore:
    """The classifier; `embed` gives the vectors of texts, each of length 1."""
    return RESTORED.get(spec["kind"], Portable)(spec, arrays, embed)


def _label_sets(spec: Spec, arrays: Arrays, embed: Embed) -> LabelSets:
    return LabelSets(Portable(spec["of"], arrays, embed, "of/"), arrays["curves"], arrays["cuts"])


def _ridge(spec: Spec, arrays: Arrays, embed: Embed) -> Ridge:
    low, high = spec["ends"]
    return Ridge(Portable(spec["of"], arrays, embed, "of/"), (low, high), arrays.get("error"))


def _look_up(spec: Spec, arrays: Arrays, embed: Embed) -> LookUp:  # noqa: ARG001  (it counted tokens)
    return LookUp({(context, tuple(run)): fields for context, run, fields in spec["counts"]}, spec["longest"])


RESTORED: Mapping[str, Callable[[Spec, Arrays, Embed], FittedBefore]] = {
    "label_sets": _label_sets,
    "ridge": _ridge,
    "nearest_numbers": lambda spec, arrays, embed: NearestNumbers(vectors_of(embed), spec, arrays),
    "look_up": _look_up,
    "chain": lambda _spec, arrays, _embed: Chain(arrays["model"].tobytes()),
    "same": lambda spec, _arrays, _embed: Same(Answer(spec["answer"], spec["worth"])),
}
"""How what is no classifier of single labels is put together again."""

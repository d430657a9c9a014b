"""Gold answers of fields laid over the tokens of their texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.arms.portable.spans import Span, folded, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.portable.spans import Token


def of_gold(gold: str, found: Sequence[Token]) -> list[Span]:
    """Where the values of a gold answer stand among the tokens.

    By their places where these are known, else where the value first stands as whole tokens; one that stands nowhere
    is left out.
    """
    spans: list[Span] = []
    for name, held in json.loads(gold).items():
        for value in held if isinstance(held, list) else [held]:
            span = _by_place(name, value, found) if isinstance(value, dict) else _by_text(name, value, found)
            if span is not None and not any(one.first <= span.last and span.first <= one.last for one in spans):
                spans.append(span)
    return sorted(spans, key=lambda span: span.first)


def _by_place(name: str, value: dict[str, int], found: Sequence[Token]) -> Span | None:
    inside = [i for i, token in enumerate(found) if token.start < value["end"] and token.end > value["start"]]
    return Span(name, inside[0], inside[-1]) if inside else None


def _by_text(name: str, value: str, found: Sequence[Token]) -> Span | None:
    wanted = [folded(token.text) for token in tokens(value)]
    words = [folded(token.text) for token in found]
    for first in range(len(words) - len(wanted) + 1) if wanted else ():
        if words[first : first + len(wanted)] == wanted:
            return Span(name, first, first + len(wanted) - 1)
    return None

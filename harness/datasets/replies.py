"""The text of a reply around its answer: thinking before it, JSON within it. Knows no labels, no IO.

Patterns run on RE2, whose time is linear in the text: a reply is written by a stranger.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeAlias

import re2

QUIET = re2.Options()
QUIET.log_errors = False  # RE2 would print the error beside raising it
ANSWER = "label"
MOST_OPENINGS = 100  # each opening brace is tried once, and trying costs the length of what follows

Value: TypeAlias = "str | int | float | bool | list[Value] | Pairs | None"

_TAGS = ("think", "thinking", "thought", "reasoning")
_BLOCKS = [*((f"<{tag}>", f"</{tag}>") for tag in _TAGS), (r"\[THINK\]", r"\[/THINK\]")]
_OPENING, _CLOSING = ("|".join(marks) for marks in zip(*_BLOCKS, strict=True))
_BLOCK = "|".join(f"{opening}.*?{closing}" for opening, closing in _BLOCKS)
_CLOSED = re2.compile(rf"(?is)\A(?:\s*(?:{_BLOCK}))+", QUIET)
_OPENED = re2.compile(rf"(?i)\A\s*(?:{_OPENING})", QUIET)
_OPENED_ANYWHERE = re2.compile(f"(?i){_OPENING}", QUIET)
_ONLY_CLOSED = re2.compile(rf"(?is)\A.*(?:{_CLOSING})", QUIET)
_CHANNEL = "<|channel|>"  # gpt-oss: every message of a reply names its channel
_FINAL_CHANNEL = re2.compile(r"(?is)\A.*<\|channel\|>final<\|message\|>", QUIET)
_FENCED = re2.compile(r"(?s)\A[^`{\[]*```[A-Za-z0-9]*[ \t\r]*\n(.*)\n[ \t]*```[^`{\[]*\z", QUIET)
_OPENING_KEY = re2.compile(r'\A\{\s*"', QUIET)


@dataclass(frozen=True, slots=True)
class Pairs:
    """A JSON object as it was written: a key may be there twice."""

    pairs: tuple[tuple[str, Value], ...]

    @property
    def is_ambiguous(self) -> bool:
        """Whether a key is repeated: two readers could see two objects."""
        return len({key for key, _ in self.pairs}) < len(self.pairs)

    def named(self, key: str) -> list[Value]:
        """The values under a key, whatever its case."""
        return [value for name, value in self.pairs if name.casefold() == key]


@dataclass(frozen=True, slots=True)
class Embedded:
    """The JSON objects in a text, in order, and the text around them. `is_broken`: one of them never ends."""

    objects: tuple[Pairs, ...]
    around: str
    is_broken: bool = False


def well_formed(text: str) -> str:
    """The text with a mark in place of each half of a surrogate pair, which JSON can say and nothing can write."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def without_thinking(reply: str) -> str:
    """The reply after the thinking that it begins with; nothing where the thinking does not end.

    Where a server's own template opened the block, only its end stands in the reply.
    """
    reply = well_formed(reply)
    if _CHANNEL in reply:
        return _after(_FINAL_CHANNEL, reply) or ""
    if (rest := _after(_CLOSED, reply)) is None and not _OPENED_ANYWHERE.search(reply):
        rest = _after(_ONLY_CLOSED, reply)
    rest = reply if rest is None else rest
    return "" if _OPENED.search(rest) else rest


def embedded(text: str) -> Embedded:
    """The JSON objects that stand in a text, not those within them."""
    objects: list[Pairs] = []
    around: list[str] = []
    end, tried = 0, 0
    start = text.find("{")
    while start != -1:
        tried += 1
        found = _object_at(text, start)
        if found is None and (_OPENING_KEY.search(text[start : start + 100]) or tried >= MOST_OPENINGS):
            return Embedded((), text, is_broken=True)
        if found is None:
            start = text.find("{", start + 1)
            continue
        around.append(text[end:start])
        objects.append(found[0])
        end = found[1]
        start = text.find("{", end)
    return Embedded(tuple(objects), "\n".join((*around, text[end:])))


def only_value(reply: str) -> list[Value]:
    """The one JSON value that a reply is, or the one object that it holds, in a list of one; else an empty list.

    Thinking before it, a code fence around it and prose beside an object are no part of it. Objects that say the
    same are one. Nothing where an object never ends, where two differ, or where a list stands inside prose.
    """
    text = without_thinking(reply).strip()
    fenced = _FENCED.search(text)
    text = str(fenced.group(1)).strip() if fenced else text
    try:
        return [_DECODER.decode(text)]
    except (ValueError, RecursionError):
        objects = embedded(text).objects if "{" in text else ()
    return list(objects[:1]) if len(set(map(repr, objects))) == 1 else []


def beside_label(reply: str) -> dict[str, str]:
    """What a JSON answer says beside its label, by key; nothing where the reply is no single JSON object."""
    found = embedded(without_thinking(reply)) if "{" in reply else Embedded((), reply)
    if len(found.objects) != 1 or found.objects[0].is_ambiguous:
        return {}
    return {key: str(value) for key, value in found.objects[0].pairs if key.casefold() != ANSWER}


def _after(pattern: re2._Regexp[str], text: str) -> str | None:
    found = pattern.search(text)
    return text[found.end() :] if found else None


def _object_at(text: str, start: int) -> tuple[Pairs, int] | None:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return (value, end) if isinstance(value, Pairs) else None


def _pairs(pairs: list[tuple[str, Value]]) -> Pairs:
    return Pairs(tuple(pairs))


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)

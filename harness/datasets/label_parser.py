"""A model's reply and the label set, in; an outcome and a label, out. Never guesses, no IO.

A reply is a label when, without decoration, it *is* one. Decoration is: case, blanks, quotes, backticks, asterisks, a
pair of brackets, a code fence, a final stop, `Label:` (and the like) before it, and for a number the zeros after its
point. What a model thinks before it answers is no part of the answer. One JSON object in a reply is the answer, be
there prose around it. A label inside a sentence is not an answer: a reply such as "not spam, ham" names two, and
picking one would be inventing data. The same reader serves every output mode and predictions made elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import re2

from harness.datasets.replies import ANSWER, QUIET, Embedded, Pairs, embedded, well_formed, without_thinking
from harness.errors import ConfigError
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.datasets.replies import Value

Parsed = tuple[Outcome, str | None]

UNPARSED: Parsed = (Outcome.UNPARSED, None)
_DECORATION = " \t\r\n\"'`*_“”‘’"
_BETWEEN = " ,;:/|."
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", "«": "»"}
_ENDS = ("</s>", "<eos>", "<end_of_turn>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "<|return|>")
_NOUNS = ("answer", "label", "category", "class", "classification", "prediction", "output", "response", "result")
_NOUN = "|".join((*_NOUNS, "choice", "sentiment", "intent", "topic"))
_LEAD = re2.compile(
    rf"""(?i)\A["'`*_\s]*(?:(?:the|my)\s+)?(?:(?:final|correct|best|predicted)\s+)?({_NOUN})["'`*_\s]*(?:[:=]|is\b:?)""",
    QUIET,
)
_BOXED = "\\boxed"
_FENCE = re2.compile(r"(?s)\A```[A-Za-z0-9]*[ \t\r]*\n(.*)```\z", QUIET)
_FENCE_MARK = re2.compile(r"```[A-Za-z0-9]*", QUIET)
_NUMBER = re.compile(r"([+-]?)0*([0-9]+)(?:\.([0-9]+))?\Z")
_MOST_LAYERS = 12


def parse_label(reply: str, labels: Sequence[str], beside: Sequence[str] = ()) -> Parsed:
    """The label that the reply is, or unparsed. `beside` are the keys that a JSON answer may hold beside `label`."""
    for exact in (reply, reply.strip()):
        if exact in labels:
            return Outcome.ANSWERED, exact
    spellings = _spellings(tuple(labels))
    text = without_thinking(reply)
    label = spellings.label_of(text)
    if label is None and "{" in text:
        label = _of_objects(embedded(text), spellings, beside)
    return UNPARSED if label is None else (Outcome.ANSWERED, label)


def parse_alias(reply: str, aliases: Mapping[str, str]) -> Parsed:
    """The label whose alias the reply is, or unparsed."""
    outcome, alias = parse_label(reply, tuple(aliases))
    return outcome, aliases[alias] if alias is not None else None


def parse_text(reply: str, labels: Sequence[str], pattern: str) -> Parsed:
    """The label captured by the pattern's group; every match must name the same one.

    A pattern that itself speaks of thinking is given the whole reply.
    """
    text = well_formed(reply) if "think" in pattern.lower() else without_thinking(reply)
    found = {parse_label(match.group(1) or "", labels) for match in compile_pattern(pattern).finditer(text)}
    return found.pop() if len(found) == 1 else UNPARSED


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> re2._Regexp[str]:
    """The pattern, compiled by an engine whose time is linear in the text; it must have one group."""
    try:
        compiled = re2.compile(pattern, QUIET)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ConfigError(
            f"pattern {pattern!r}: {reason}; RE2 syntax is expected (no look-around, no back-references)"
        ) from None
    if compiled.groups != 1:
        raise ConfigError(f"pattern {pattern!r} has {compiled.groups} groups; exactly one must capture the label")
    return compiled


class _Spellings:
    """How each label may be spelled."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = frozenset(labels)
        self._folded: dict[str, set[str]] = {}
        self._numbers: dict[str, set[str]] = {}
        for label in labels:
            self._folded.setdefault(_fold(label), set()).add(label)
            if (number := _number(_fold(label))) is not None:
                self._numbers.setdefault(number, set()).add(label)

    def label_of(self, text: str) -> str | None:
        """The label that a text is once decoration is taken off, layer by layer; None where it is none, or two."""
        text = well_formed(text)
        for layer in self._layers(text):
            for candidate in (layer, layer.strip(), _bare(layer)):
                if candidate in self._labels:
                    return candidate
            folded = _fold(layer)
            meant = (self._folded.get(folded) if folded else None) or self._numbers.get(_number(folded) or "")
            if meant:
                return next(iter(meant)) if len(meant) == 1 else None
        return None

    def _layers(self, text: str) -> Iterator[str]:
        for _ in range(_MOST_LAYERS):
            yield text
            thinner = self._without_lead(_unwrapped(text))
            if thinner == text:
                return
            text = thinner

    def _without_lead(self, text: str) -> str:
        """The text after `Label:` and the like, unless what leads is itself one of the labels."""
        lead = _LEAD.search(text)
        return text if lead is None or _fold(lead.group(1)) in self._folded else text[lead.end() :]


@lru_cache(maxsize=64)
def _spellings(labels: tuple[str, ...]) -> _Spellings:
    return _Spellings(labels)


def _of_objects(found: Embedded, spellings: _Spellings, beside: Sequence[str]) -> str | None:
    """The one label that all JSON objects of a reply name, and no line around them contradicts."""
    if found.is_broken or not found.objects:
        return None
    named = {_of_value(one, spellings, beside) for one in found.objects}
    lines = _FENCE_MARK.sub("\n", found.around).splitlines()
    around = {spellings.label_of(line.strip(_BETWEEN)) for line in lines} - {None}
    return named.pop() if len(named) == 1 and around <= named else None


def _of_value(value: Value, spellings: _Spellings, beside: Sequence[str]) -> str | None:
    """The label that a JSON value names: a scalar, a list of one, or an object's `label` or only other key."""
    while isinstance(value, Pairs | list):
        if isinstance(value, list):
            values = value
        elif value.is_ambiguous:
            return None
        else:
            values = value.named(ANSWER) or [one for key, one in value.pairs if key not in beside]
        if len(values) != 1:
            return None
        value = values[0]
    if value is None:
        return None
    return spellings.label_of(str(value).lower() if isinstance(value, bool) else str(value))


def _unwrapped(text: str) -> str:
    """The text without one layer of decoration around it."""
    text = text.strip()
    fenced = _FENCE.search(text)
    if fenced is not None:
        return str(fenced.group(1))
    text = _bare(text)
    for end in _ENDS:
        text = text.removesuffix(end)
    if text.startswith(_BOXED):
        text = text.removeprefix(_BOXED)
    if _BRACKETS.get(text[:1]) == text[-1:] and len(text) > 1:
        return _without_tag(text) or text[1:-1]
    return text


def _without_tag(text: str) -> str | None:
    """What stands between `<answer>` and `</answer>`, or another word of that kind; None where that is not so."""
    tag = text[1:].partition(">")[0].lower()
    head, tail = len(tag) + 2, len(tag) + 3
    is_wrapped = tag in _NOUNS and text[-tail:].lower() == f"</{tag}>" and len(text) >= head + tail
    return text[head:-tail] if is_wrapped else None


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", _bare(text)).casefold().split())


def _bare(text: str) -> str:
    text = text.strip(_DECORATION)
    return text.removesuffix(".").removesuffix("。").strip(_DECORATION)


def _number(text: str) -> str | None:
    """The one spelling of a number in decimal digits: no leading zeros, none at its end after the point."""
    found = _NUMBER.match(text)
    if found is None:
        return None
    sign, whole, rest = found.groups()
    fraction = (rest or "").rstrip("0")
    return f"{'-' if sign == '-' else ''}{whole}.{fraction}"

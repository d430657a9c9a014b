"""A model's reply and the label set, in; an outcome and a label, out. Never guesses, no IO.

A reply is a label when, without decoration, it *is* one: case, outer blanks, quotes, backticks,
asterisks and a final stop do not count. A label inside a sentence is not an answer: a reply such
as "not spam, ham" names two, and picking one would be inventing data.
"""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

import re2

from harness.errors import ConfigError
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Parsed = tuple[Outcome, str | None]

_QUIET = re2.Options()
_QUIET.log_errors = False  # RE2 would print the error beside raising it
_UNPARSED: Parsed = (Outcome.UNPARSED, None)
_DECORATION = " \t\r\n\"'`*_“”‘’"


def parse_label(reply: str, labels: Sequence[str]) -> Parsed:
    """The label that the whole reply is, or unparsed."""
    for candidate in (reply.strip(), _bare(reply)):
        if candidate in labels:
            return Outcome.ANSWERED, candidate
    return _only(_by_folded(labels).get(_fold(reply), ()))


def parse_json(reply: str, labels: Sequence[str], key: str = "label") -> Parsed:
    """The label under `key` of the JSON object that the reply is, or unparsed."""
    try:
        value = json.loads(_without_fence(reply))
    except (ValueError, RecursionError):
        return _UNPARSED
    answer = value.get(key) if isinstance(value, dict) else None
    return (Outcome.ANSWERED, answer) if isinstance(answer, str) and answer in labels else _UNPARSED


def parse_alias(reply: str, aliases: Mapping[str, str]) -> Parsed:
    """The label whose alias the whole reply is, or unparsed."""
    outcome, alias = parse_label(reply, tuple(aliases))
    return outcome, aliases[alias] if alias is not None else None


def parse_text(reply: str, labels: Sequence[str], pattern: str) -> Parsed:
    """The label captured by the pattern's group; every match must name the same one."""
    found = {parse_label(match.group(1) or "", labels) for match in compile_pattern(pattern).finditer(reply)}
    return found.pop() if len(found) == 1 else _UNPARSED


def compile_pattern(pattern: str) -> re2._Regexp[str]:
    """The pattern, compiled by an engine whose time is linear in the text; it must have one group."""
    try:
        compiled = re2.compile(pattern, _QUIET)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ConfigError(
            f"pattern {pattern!r}: {reason}; RE2 syntax is expected (no look-around, no back-references)"
        ) from None
    if compiled.groups != 1:
        raise ConfigError(f"pattern {pattern!r} has {compiled.groups} groups; exactly one must capture the label")
    return compiled


def _only(matches: Sequence[str]) -> Parsed:
    return (Outcome.ANSWERED, matches[0]) if len(matches) == 1 else _UNPARSED


def _by_folded(labels: Sequence[str]) -> dict[str, list[str]]:
    folded: dict[str, list[str]] = {}
    for label in labels:
        folded.setdefault(_fold(label), []).append(label)
    return folded


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", _bare(text)).casefold().split())


def _bare(text: str) -> str:
    return text.strip(_DECORATION).removesuffix(".").strip(_DECORATION)


def _without_fence(reply: str) -> str:
    text = reply.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3]
    return text

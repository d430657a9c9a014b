"""What has to stand in an item for a rule to fit: a pattern in text or tags, a whole tag, a whole word or phrase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import re2

from harness.arms.baselines._features import tags
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.types import Item


class Pattern(Protocol):
    """What of a compiled pattern is used (RE2 has no types)."""

    groupindex: Mapping[str, int]

    def search(self, text: str) -> object:
        """A match, or None."""
        ...

    def finditer(self, text: str) -> Iterator[Any]:
        """Every match."""
        ...


class Conditional(Protocol):
    """A rule with exactly one of these."""

    @property
    def regex(self) -> str | None:
        """A pattern."""
        ...

    @property
    def tag(self) -> str | None:
        """A whole tag."""
        ...

    @property
    def keyword(self) -> str | None:
        """A whole word or phrase."""
        ...


Condition = str | Pattern
"""A tag in lower case, or a compiled pattern."""


def condition(rule: Conditional, number: int) -> Condition:
    """The condition of a rule; `ConfigError` names the rule and what is wrong with it."""
    conditions = {"regex": rule.regex, "tag": rule.tag, "keyword": rule.keyword}
    given = [(kind, text) for kind, text in conditions.items() if text is not None]
    if len(given) != 1:
        raise ConfigError(f"rule {number}: found {len(given)} conditions; expected one of regex, tag, keyword")
    kind, text = given[0]
    if not text.strip():
        raise ConfigError(f"rule {number}: {kind} is empty and would fit every item; expected text")
    if kind == "tag":
        return text.lower()
    return compiled(_whole(text) if kind == "keyword" else text, number, text)


def compiled(pattern: str, number: int, shown: str | None = None) -> Pattern:
    """A pattern of RE2, in which capitals do not count."""
    try:
        found: Pattern = re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ConfigError(
            f"rule {number}: pattern {pattern if shown is None else shown!r}: {reason}; RE2 syntax is expected"
        ) from None
    return found


def fits(condition: Condition, item: Item) -> bool:
    """Whether a condition is met."""
    if isinstance(condition, str):
        return condition in tags(item)
    return condition.search(readable(item.words)) is not None


def times(condition: Condition, item: Item) -> int:
    """How often a condition is met."""
    if isinstance(condition, str):
        return tags(item).count(condition)
    return sum(1 for _ in condition.finditer(readable(item.words)))


def readable(text: str) -> str:
    """The text as RE2 can read it: it knows no lone surrogates."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _whole(keyword: str) -> str:
    # RE2's \b knows ASCII letters only, and would never find "café" or an emoji.
    before = r"(?:^|[^\pL\pN_])" if keyword[0].isalnum() else ""
    after = r"(?:$|[^\pL\pN_])" if keyword[-1].isalnum() else ""
    return f"{before}{re2.escape(keyword)}{after}"


def _options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False  # RE2 would print the error beside raising it
    return options

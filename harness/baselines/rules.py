"""Hand-written rules, the first that fits wins: regular expressions, tags and keywords to labels.

Rules are TOML text, an ordered list of `[[rule]]` tables with a `label` and one of `regex` (RE2:
linear in the text, so no pattern can hang), `tag` or `keyword`; and an optional `default` label.
Where no rule fits and there is no default, there is no answer.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import re2
from sklearn.base import BaseEstimator, ClassifierMixin

from harness.baselines._features import tags, words
from harness.errors import ConfigError, one_of
from harness.validation import validated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.types import Item

VERSION = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """A label, and exactly one condition: tests in lower case, a keyword only as a whole word."""

    label: str
    regex: str | None = None
    tag: str | None = None
    keyword: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """A rules file."""

    rule: tuple[Rule, ...]
    default: str | None = None
    description: str = ""


def build(rules: str, seed: int = 0) -> RuleClassifier:  # noqa: ARG001  (nothing is random)
    """The classifier of a rules file's text; nothing is learnt but which labels there are."""
    return RuleClassifier(rules)


class RuleClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The first rule that fits decides, with score 1."""

    def __init__(self, rules: str) -> None:
        self.rules = rules

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Check the rules against the labels; `ConfigError` names the rule that is wrong."""
        self.classes_ = np.unique(labels)
        parsed = parse(self.rules)
        known = list(self.classes_)
        self.tests_ = []
        for number, rule in enumerate(parsed.rule, start=1):
            if rule.label in known:
                self.tests_.append((_condition(rule, number), known.index(rule.label)))
            elif len(known) > 1:
                near = one_of(rule.label, known)
                raise ConfigError(f"rule {number}: label {rule.label!r} does not occur in training; {near}")
        self.default_ = known.index(parsed.default) if parsed.default in known else None
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """1 for the label of the first rule that fits; a row of zeros where none does."""
        scores = np.zeros((len(items), len(self.classes_)))
        for row, item in zip(scores, items, strict=True):
            fitting = (code for test, code in self.tests_ if _fits(test, item))
            code = next(fitting, self.default_)
            if code is not None:
                row[code] = 1.0
        return scores

    def predict(self, items: Sequence[Item]) -> NDArray[np.str_]:
        """The label of the first rule that fits (the first label where none does)."""
        return np.asarray(self.classes_[self.predict_proba(items).argmax(axis=1)])


def parse(text: str) -> Rules:
    """The rules of a file; `ConfigError` names the rule and what is wrong with it."""
    try:
        rules = validated(Rules, tomllib.loads(text), "rules")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the rules are not valid TOML: {error}") from None
    for number, rule in enumerate(rules.rule, start=1):
        _condition(rule, number)
    return rules


def _condition(rule: Rule, number: int) -> tuple[str, str]:
    given = [(kind, text) for kind in ("regex", "tag", "keyword") if (text := getattr(rule, kind)) is not None]
    if len(given) != 1:
        raise ConfigError(f"rule {number}: found {len(given)} conditions; expected one of regex, tag, keyword")
    kind, text = given[0]
    pattern = rf"\b{re2.escape(text.lower())}\b" if kind == "keyword" else text
    if kind != "tag":
        try:
            re2.compile(pattern, _options())
        except re2.error as error:
            reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
            raise ConfigError(f"rule {number}: pattern {text!r}: {reason}; RE2 syntax is expected") from None
    return ("tag", text.lower()) if kind == "tag" else ("regex", pattern)


def _fits(condition: tuple[str, str], item: Item) -> bool:
    kind, text = condition
    if kind == "tag":
        return text in tags(item)
    return re2.compile(text, _options()).search(words(item)) is not None  # compiled once: RE2 keeps them


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # RE2 would print the error beside raising it
    return options

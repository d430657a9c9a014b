"""Hand-written rules, the first that fits wins: regular expressions, tags and keywords to labels.

Rules are TOML text, an ordered list of `[[rule]]` tables with a `label` and one of `regex` (RE2:
linear in the text, so no pattern can hang), `tag` or `keyword`; and an optional `default` label.
Capitals do not count. Where no rule fits and there is no default, there is no answer. What a file says for other kinds
of answers stands in `_kind_rules`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from harness.arms.answers import SINGLE, KindSpec
from harness.arms.baselines import _conditions, _kind_rules
from harness.arms.portable.kept import State
from harness.errors import ConfigError, one_of
from harness.ground.validation import validated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.types import Item

VERSION = 1
LEARNS = False
KINDS = ("single", "multi", "extract", "score")


@dataclass(frozen=True, slots=True)
class Rule:
    """A label, and exactly one condition: a pattern in text or tags, a whole tag, or a whole word or phrase."""

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


def build(
    rules: str,
    spec: KindSpec = SINGLE,
    seed: int = 0,  # noqa: ARG001  (nothing is random)
) -> BaseEstimator:
    """The classifier of a rules file's text; nothing is learnt but which labels there are."""
    return RuleClassifier(rules) if spec.kind == "single" else _kind_rules.of_kind(spec, rules)


class RuleClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The first rule that fits decides, with score 1."""

    def __init__(self, rules: str) -> None:
        self.rules = rules

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Check the rules against the labels; `ConfigError` names the rule that is wrong."""
        self.classes_ = np.unique(labels)
        parsed = parse(self.rules)
        codes = {str(label): code for code, label in enumerate(self.classes_)}
        named = [(f"rule {number}", rule.label) for number, rule in enumerate(parsed.rule, start=1)]
        named += [("default", parsed.default)] if parsed.default is not None else []
        for where, label in named:
            # With one label in training there is nothing to compare with: a first try on a few rows.
            if label not in codes and len(codes) > 1:
                raise ConfigError(f"{where}: label {label!r} does not occur in training; {one_of(label, codes)}")
        self.tests_ = [
            (_conditions.condition(rule, i), codes.get(rule.label)) for i, rule in enumerate(parsed.rule, start=1)
        ]
        self.default_ = codes.get(parsed.default or "")
        return self

    def predict_proba(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """1 for the label of the first rule that fits; a row of zeros where none does."""
        scores = np.zeros((len(items), len(self.classes_)))
        for row, item in zip(scores, items, strict=True):
            fitting = (code for condition, code in self.tests_ if _conditions.fits(condition, item))
            code = next(fitting, self.default_)
            if code is not None:
                row[code] = 1.0
        return scores

    def state(self) -> State:
        """The rules as they are written."""
        spec = {"kind": "built", "baseline": "rules", "parameters": {"rules": self.rules}}
        return State({**spec, "classes": self.classes_.tolist()})

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
        _conditions.condition(rule, number)
    return rules

r"""Hand-written rules for kinds with other answers than one label: all labels that fire, fields, weights of words.

For each kind a rules file is TOML with `[[rule]]` tables, as for one label; capitals do not count, patterns are RE2's.

- several labels: as for one label, and every rule that fits adds its label; where none fits, the `default` labels
  are the answer (`default = []`: none of the labels), and without them there is no answer;
- fields: `regex` with a named group per field, as in `(?P<time>\d+ pm)`; `where` holds what further fields of the
  item have to say, as in `where = {asked = "time"}`; earlier rules come first where places overlap;
- numbers: `weight` with `regex`, `keyword` or `tag`, for each time it stands in the text; `[lexicon]` has weights by
  word, and `negations` words that turn around the weights of the three words after them. The sum, squeezed into the
  range (`sum / sqrt(sum² + squeeze)` of the way to an end), is the answer; where nothing fits it is the `default`.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from sklearn.base import BaseEstimator

from harness.arms.baselines import _conditions, _numbers
from harness.arms.baselines._conditions import Condition
from harness.arms.portable.answer import Answer
from harness.arms.portable.kept import State
from harness.arms.portable.numbers import in_range
from harness.errors import ConfigError, one_of
from harness.ground.ids import canonical_json
from harness.ground.validation import validated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.answers import KindSpec
    from harness.types import Item

EDGES = ".,;:!?\"'()[]"
REACH = 3  # words after a negation
File = TypeVar("File")


@dataclass(frozen=True, slots=True)
class LabelRule:
    """A label, and what adds it."""

    label: str
    regex: str | None = None
    tag: str | None = None
    keyword: str | None = None


@dataclass(frozen=True, slots=True)
class LabelRules:
    """A rules file for several labels."""

    rule: tuple[LabelRule, ...]
    default: tuple[str, ...] | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """A pattern with a named group per field, and what the item's further fields have to say."""

    regex: str
    where: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldRules:
    """A rules file for fields."""

    rule: tuple[FieldRule, ...]
    description: str = ""


@dataclass(frozen=True, slots=True)
class WeightRule:
    """A weight, and what it is for."""

    weight: float
    regex: str | None = None
    tag: str | None = None
    keyword: str | None = None


@dataclass(frozen=True, slots=True)
class WeightRules:
    """A rules file for numbers."""

    rule: tuple[WeightRule, ...] = ()
    lexicon: dict[str, float] = field(default_factory=dict)
    negations: tuple[str, ...] = ()
    squeeze: float = 15.0
    default: float | None = None
    description: str = ""


def of_kind(spec: KindSpec, rules: str) -> BaseEstimator:
    """The rules of a task's kind; `fit` raises `ConfigError` that names the rule and what is wrong with it."""
    return {"multi": LabelsThatFire, "extract": NamedGroups, "score": Lexicon}[spec.kind](rules, spec.labels)


class RulesOfKind(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A rules file's text, and the task's labels, fields or ends of a range, described."""

    kind: ClassVar[str]

    def __init__(self, rules: str, labels: tuple[tuple[str, str], ...]) -> None:
        self.rules = rules
        self.labels = labels

    def state(self) -> State:
        """The rules as they are written, and what they are for."""
        spec = {"kind": "built", "baseline": "rules", "parameters": {"rules": self.rules}, "classes": []}
        return State({**spec, "task": {"kind": self.kind, "labels": [list(one) for one in self.labels]}})


class LabelsThatFire(RulesOfKind):
    """Every rule that fits adds its label."""

    kind = "multi"

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Check the rules against the labels."""
        self.file_ = _read(LabelRules, self.rules)
        known = [name for name, _ in self.labels]
        said = [(f"rule {number}", rule.label) for number, rule in enumerate(self.file_.rule, start=1)]
        for where, label in (*said, *(("default", label) for label in self.file_.default or ())):
            if label not in known:
                raise ConfigError(f"{where}: there is no label {label!r}; {one_of(label, known)}")
        self.tests_ = _conditions_of(self.file_.rule)
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The labels of the rules that fit."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Item) -> Answer:
        fitting = {
            rule.label for rule, test in zip(self.file_.rule, self.tests_, strict=True) if _conditions.fits(test, item)
        }
        labels = fitting or self.file_.default
        return Answer() if labels is None else Answer(canonical_json(sorted(labels)), 1.0)


class NamedGroups(RulesOfKind):
    """Fields filled by the named groups of patterns."""

    kind = "extract"

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Check the groups against the fields."""
        self.file_ = _read(FieldRules, self.rules)
        known = [name for name, _ in self.labels]
        self.patterns_ = []
        for number, rule in enumerate(self.file_.rule, start=1):
            pattern = _conditions.compiled(rule.regex, number)
            groups = sorted(pattern.groupindex.items(), key=lambda pair: pair[1])
            if not groups:
                raise ConfigError(f"rule {number}: {rule.regex!r} names no field; expected a group (?P<{known[0]}>...)")
            for group, _ in groups:
                if group not in known:
                    raise ConfigError(f"rule {number}: there is no field {group!r}; {one_of(group, known)}")
            self.patterns_.append((pattern, groups, rule.where))
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The values that the patterns find."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Item) -> Answer:
        text = _conditions.readable(item.text)
        taken: list[tuple[str, int, int]] = []
        for pattern, groups, where in self.patterns_:
            if all(_says(item, name, wanted) for name, wanted in where.items()):
                for hit in pattern.finditer(text):
                    for group, number in groups:
                        start, end = hit.span(number)
                        if 0 <= start < end and not any(start < e and s < end for _, s, e in taken):
                            taken.append((group, start, end))
        return Answer(_placed(item.text, taken), 1.0)


class Lexicon(RulesOfKind):
    """A number out of the weights of words."""

    kind = "score"

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:  # noqa: ARG002
        """Read the weights."""
        self.file_ = _read(WeightRules, self.rules)
        if not (self.file_.rule or self.file_.lexicon):
            raise ConfigError("the rules hold no weight; expected [[rule]] tables with one, or a [lexicon] of words")
        self.ends_ = _numbers.limits(self.labels)
        self.tests_ = _conditions_of(self.file_.rule)
        self.weights_ = {word.casefold(): weight for word, weight in self.file_.lexicon.items()}
        self.negations_ = {word.casefold() for word in self.file_.negations}
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The squeezed sums."""
        return [self._answer(item) for item in items]

    def _answer(self, item: Item) -> Answer:
        weights = self._of_words(item) + [
            rule.weight
            for rule, test in zip(self.file_.rule, self.tests_, strict=True)
            for _ in range(_conditions.times(test, item))
        ]
        low, high = self.ends_
        if not weights:
            return Answer() if self.file_.default is None else in_range(self.file_.default, None, self.ends_)
        total = sum(weights)
        share = total / math.sqrt(total * total + self.file_.squeeze) if total else 0.0
        return in_range((low + high) / 2 + share * (high - low) / 2, None, self.ends_)

    def _of_words(self, item: Item) -> list[float]:
        """The weights of the words of the lexicon; a negation shortly before turns one around."""
        words = item.words.casefold().split()
        bare = [word.strip(EDGES) for word in words]
        found = []
        for place, (word, plain) in enumerate(zip(words, bare, strict=True)):
            weight = self.weights_.get(word, self.weights_.get(plain))
            if weight is not None:
                is_turned = self.negations_.intersection(bare[max(0, place - REACH) : place])
                found.append(-weight if is_turned else weight)
        return found


def _read(form: type[File], text: str) -> File:
    try:
        return validated(form, tomllib.loads(text), "rules")
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the rules are not valid TOML: {error}") from None


def _conditions_of(rules: Sequence[LabelRule | WeightRule]) -> list[Condition]:
    return [_conditions.condition(rule, number) for number, rule in enumerate(rules, start=1)]


def _says(item: Item, name: str, wanted: str) -> bool:
    parts = [part.strip().casefold() for part in item.fields.get(name, "").split(",")]
    return wanted.strip().casefold() in parts


def _placed(text: str, taken: Sequence[tuple[str, int, int]]) -> str:
    of_field: dict[str, list[Any]] = {}
    for name, start, end in sorted(taken, key=lambda one: one[1]):
        of_field.setdefault(name, []).append({"text": text[start:end], "start": start, "end": end})
    return canonical_json({name: held[0] if len(held) == 1 else held for name, held in of_field.items()})

"""A reply format as typed questions of the System One format, and the answers as a reply that keeps to it.

A closed set of labels is one `choice`. A JSON schema is one question a property, asked in the same call: a set of
names is a `choice`, true or false a `noul` (the probability of yes), a list out of a set a `noul` for each of its
names, a number in a range a `score` of a few levels. Levels are laid over the range evenly, ends to ends.
Pure: plain JSON in and out.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from harness.errors import ConfigError
from harness.models.providers._shapes import is_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.types import ReplyFormat

Question = dict[str, Any]
Table = dict[str, Any]

MOST_OPTIONS, MOST_LEVELS, FEW_LEVELS = 255, 10, 5
LABEL = "label"
APPLIES = 0.5  # a probability of yes from which on a name is taken


class NoAnswerError(ValueError):
    """A question without an answer, or with one that can be none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions of one call by name, and what their answers are to become.

    `schema` is the object that is wanted, None where the reply is a label alone.
    """

    questions: Mapping[str, Question]
    schema: Mapping[str, Table] | None

    def reply(self, answers: Mapping[str, object]) -> tuple[str, dict[str, float] | None]:
        """The reply's text, and a probability per option; `NoAnswerError` where an answer is missing or can be none."""
        if self.schema is None:
            return _chosen(answers, LABEL, self.questions[LABEL])
        found: Table = {}
        scores: dict[str, float] | None = None
        for name, kind in self.schema.items():
            found[name], scores = _value(answers, name, kind, self.questions)
        return json.dumps(found, ensure_ascii=False), scores if len(self.schema) == 1 else None


def asked(reply: ReplyFormat, instructions: str, model: str) -> Asked:
    """The questions that a reply format comes to; `ConfigError` where it is none that such a model can answer."""
    described = dict(zip(reply.options, reply.descriptions, strict=False)) if reply.descriptions else {}
    if reply.mode in ("label", "choice"):
        return Asked({LABEL: _choice(reply.options, described, instructions, model)}, None)
    if reply.mode != "json" or not reply.schema:
        raise ConfigError(f"{model} answers typed questions, not free text; use `output: label` or `output: json`")
    properties: Mapping[str, Table] = json.loads(reply.schema).get("properties") or {}
    questions: dict[str, Question] = {}
    for name, kind in properties.items():
        questions |= _asked_of(name, kind, reply.descriptions, instructions, model)
    if not questions:
        raise ConfigError(f"{model}: the schema of this prompt has no property, so there is nothing to ask")
    return Asked(questions, properties)


def _asked_of(
    name: str, kind: Table, descriptions: tuple[str, ...], instructions: str, model: str
) -> dict[str, Question]:
    """The questions of one property."""
    names = _names(kind)
    described = dict(zip(names, descriptions, strict=True)) if len(descriptions) == len(names) else {}
    if "enum" in kind:
        return {name: _choice(names, described, instructions, model)}
    if kind.get("type") == "array" and names:
        return {f"{name}:{one}": _applies(one, described.get(one, ""), instructions) for one in names}
    if kind.get("type") == "boolean":
        return {name: {"type": "noul", "instructions": f"{instructions}\n\n{kind.get('description') or name}"}}
    if kind.get("type") in ("number", "integer"):
        levels = [f"{level:g}" for level in _levels(kind, name, model)]
        return {name: {"type": "score", "instructions": instructions, "criteria": levels}}
    raise ConfigError(
        f"{model} cannot fill {name!r}: expected an enum, a boolean, a list out of an enum, or a number with minimum "
        f"and maximum; found {json.dumps(kind, ensure_ascii=False)[:100]}"
    )


def _choice(options: tuple[str, ...], described: Mapping[str, str], instructions: str, model: str) -> Question:
    if not 1 <= len(options) <= MOST_OPTIONS:
        raise ConfigError(f"{model} chooses among 1 to {MOST_OPTIONS} options and this prompt has {len(options)}")
    criteria = {option: described.get(option) or None for option in options}
    return {"type": "choice", "instructions": instructions, "criteria": criteria}


def _applies(name: str, description: str, instructions: str) -> Question:
    asks = f"{instructions}\n\nDoes {name!r} apply?"
    return {"type": "noul", "instructions": asks} | ({"criteria": {"true": description}} if description else {})


def _value(
    answers: Mapping[str, object], name: str, kind: Table, questions: Mapping[str, Question]
) -> tuple[object, dict[str, float] | None]:
    """The value of one property, and a probability for each of its options."""
    if "enum" in kind:
        return _chosen(answers, name, questions[name])
    if kind.get("type") == "array":
        shares = {one: _probability(answers, f"{name}:{one}") for one in _names(kind)}
        return [one for one, share in shares.items() if share >= APPLIES], shares
    if kind.get("type") == "boolean":
        share = _probability(answers, name)
        return share >= APPLIES, {"true": share, "false": 1 - share}
    levels = [float(level) for level in questions[name]["criteria"]]
    answer = _answer(answers, name, "score")
    place = answer.get("score")
    if not _is_number(place) or not 0 <= place <= len(levels) - 1:
        raise NoAnswerError(f"the answer to {name!r} has no score from 0 to {len(levels) - 1}")
    value = levels[0] + (levels[-1] - levels[0]) * place / max(len(levels) - 1, 1)
    return round(value) if kind.get("type") == "integer" else value, None


def _chosen(answers: Mapping[str, object], name: str, question: Question) -> tuple[str, dict[str, float] | None]:
    answer = _answer(answers, name, "choice")
    if not isinstance(answer.get("choice"), str):
        raise NoAnswerError(f"the answer to {name!r} holds no choice")
    given = answer.get("probabilities")
    shares = given if isinstance(given, dict) else {}
    found = {option: shares.get(option) for option in question["criteria"]}
    sound = {option: share for option, share in found.items() if is_share(share)}
    return answer["choice"], {option: float(share) for option, share in sound.items()} if sound == found else None


def _probability(answers: Mapping[str, object], name: str) -> float:
    share = _answer(answers, name, "noul").get("noul")
    if not is_share(share):
        raise NoAnswerError(f"the answer to {name!r} is no probability")
    return float(share)


def _answer(answers: Mapping[str, object], name: str, kind: str) -> Table:
    answer = answers.get(name)
    if not isinstance(answer, dict) or answer.get("type") != kind:
        raise NoAnswerError(f"there is no answer of type {kind} to {name!r}")
    return answer


def _names(kind: Table) -> tuple[str, ...]:
    """The names that a property chooses from, itself or its items."""
    items = kind.get("items")
    values = kind.get("enum") or (items.get("enum") if isinstance(items, dict) else None) or ()
    return tuple(value for value in values if isinstance(value, str))


def _levels(kind: Table, name: str, model: str) -> list[float]:
    """A few levels over the range of a number: each whole number where there are few, else evenly laid."""
    low, high = kind.get("minimum"), kind.get("maximum")
    if not _is_number(low) or not _is_number(high) or not low < high:
        raise ConfigError(f"{model} scores in a range, and {name!r} has none; expected minimum and maximum")
    steps = high - low
    count = int(steps) + 1 if kind.get("type") == "integer" and steps < MOST_LEVELS else FEW_LEVELS
    return [low + steps * place / (count - 1) for place in range(count)]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

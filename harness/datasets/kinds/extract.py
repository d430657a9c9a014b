"""Fields of a text with their values: gold and answer are a JSON object, a field without a value left out.

The names of the fields stand where other kinds have labels.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.datasets import label_parser, replies
from harness.datasets.cells import is_missing
from harness.datasets.kinds import _sets, _structured, _values
from harness.datasets.kinds._values import Value
from harness.datasets.problems import ImportProblem
from harness.datasets.replies import Pairs
from harness.errors import ConfigError, DatasetError, one_of
from harness.types import Estimate, Metric, Outcome, ReplyFormat

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harness.datasets.cells import Cell
    from harness.datasets.gold_cells import Form
    from harness.types import JSON, ReplyMode

IS_BINARY = False
HAS_CLASSES = False
WRAPPERS = ("fields", "label", "answer", "result", "output")
VALUE_KEYS = ("text", "value")
canonical, parts = _values.canonical, _values.fields


def read_gold(cell: str, labels: Collection[str], where: str) -> str:
    """The gold values of a cell, a JSON object; `DatasetError` names the place, the field and what is expected."""
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise DatasetError(f'{where}: found {cell!r}; expected a JSON object of fields, as in {{"time": "8 pm"}}')
    values: list[Value] = []
    for name, held in value.items():
        if name not in labels:
            raise DatasetError(f"{where}: field {name!r} is not in [fields]; {one_of(name, labels)}")
        values += [_gold_value(name, one, where) for one in (held if isinstance(held, list) else [held])]
    return canonical(values)


def check_places(answer: str, text: str, where: str) -> None:
    """Raise `DatasetError` where a value has a place at which the text says something else."""
    value = _values.misplaced(answer, text)
    if value is not None:
        raise DatasetError(
            f"{where}: field {value.field!r} has {value.text!r} at {value.start}, where the text says "
            f"{text[value.start : value.end]!r}; places count characters of the text, the end behind the last"
        )


def imported(cell: Cell, form: Form) -> str | None:
    """The values of a cell of people's own file; None for no cell.

    An object of fields (a value is a text, a number, a list of them, null, or has its place), or a list of places
    as annotation tools write it: objects with start, end and label, or lists of the three.
    """
    text = json.dumps(cell) if isinstance(cell, list) else cell or ""
    if is_missing(text):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        values = [one for name, held in value.items() for one in _imported_values(name, held, form)]
    elif isinstance(value, list):
        values = [_placed(one, form) for one in value]
    else:
        raise ImportProblem(
            f"{form.where}: column {form.column!r} holds {text[:60]!r}; expected a JSON object of fields, or a list of "
            "places with start, end and label; for a column a field give --field NAME=COLUMN"
        )
    return canonical(values)


def strata(golds: Sequence[str]) -> list[tuple[str, ...]]:
    """What a split should keep the shares of, per item: the fields that have a value."""
    return [parts(gold) for gold in golds]


def _imported_values(name: str, held: object, form: Form) -> list[Value]:
    values = []
    for one in held if isinstance(held, list) else [held]:
        match one:
            case None | "":
                continue
            case bool() | int() | float():
                values.append(Value(name, json.dumps(one)))
            case str(text) if not is_missing(text):
                values.append(Value(name, text.strip()))
            case {"start": int(start), "end": int(end)}:
                values.append(_placed([start, end, name], form))
            case str():
                continue
            case _:
                raise ImportProblem(
                    f"{form.where}: field {name!r} holds {json.dumps(one, ensure_ascii=False)[:60]}; expected a text"
                )
    return values


def _placed(one: object, form: Form) -> Value:
    """The value at a place of the text."""
    name: object
    match one:
        case {"start": int(start), "end": int(end), **rest}:
            given = [rest[key] for key in ("label", "field", "slot", "name", "labels") if rest.get(key)]
            name = given[0][0] if given and isinstance(given[0], list) else next(iter(given), None)
        case [int(start), int(end), str(name)]:
            pass
        case _:
            start, end, name = 0, 0, None
    if not isinstance(name, str) or not 0 <= start < end <= len(form.text):
        raise ImportProblem(
            f"{form.where}: column {form.column!r} holds the place {json.dumps(one, ensure_ascii=False)[:80]}, and the "
            f"text has {len(form.text)} characters; expected start, end (behind the last character) and label"
        )
    return Value(name, form.text[start:end], start, end)


def _gold_value(name: str, held: object, where: str) -> Value:
    match held:
        case str(text):
            return Value(name, text)
        case {"text": str(text), "start": int(start), "end": int(end)} if 0 <= start < end:
            return Value(name, text, start, end)
    raise DatasetError(
        f"{where}: field {name!r} holds {json.dumps(held, ensure_ascii=False)[:80]}; expected a text, a list of texts, "
        'or {"text": ..., "start": ..., "end": ...}'
    )


def reply_format(
    mode: ReplyMode, labels: Sequence[str], pattern: str | None = None, fields: Mapping[str, str] | None = None
) -> ReplyFormat:
    """What a model may reply: a JSON object by a schema in mode `json`, else a JSON object in its own words.

    Every field is there, and null where the text has no value for it.
    """
    if mode == "choice" or pattern is not None:
        raise ConfigError("kind extract is answered by a JSON object; write `output: json`")
    if mode != "json":
        return ReplyFormat(mode="text")
    texts: JSON = {"type": "array", "items": {"type": "string"}}
    one: JSON = {"anyOf": [{"type": "string"}, texts, {"type": "null"}]}
    beside = {name: of for name, of in (fields or {}).items() if name not in labels}
    return ReplyFormat(mode="json", schema=_structured.schema(beside, dict.fromkeys(labels, one)))


def parse(reply: str, labels: Sequence[str], expected: ReplyFormat) -> label_parser.Parsed:  # noqa: ARG001
    """The values that a JSON object in a reply gives to the fields.

    A field that is missing, null or empty has no value; a key that is no field says nothing, and an object with
    nothing but such keys is unparsed, as is a value that is neither a text, a number nor a list of them. A field that
    stands there twice is unparsed.
    """
    values = replies.only_value(reply)
    found = _unwrapped(values[0], labels) if values else None
    if found is None:
        return label_parser.UNPARSED
    field_of = {name.casefold(): name for name in labels}
    named = [(field_of[key.casefold()], value) for key, value in found.pairs if key.casefold() in field_of]
    if found.pairs and not named:
        return label_parser.UNPARSED
    given: list[Value] = []
    for name, value in named:
        texts = _texts(value)
        if texts is None or len([key for key, _ in named if key == name]) > 1:
            return label_parser.UNPARSED
        given += [Value(name, text) for text in texts]
    return Outcome.ANSWERED, canonical(given)


def credit(gold: str, answer: str, _labels: Sequence[str]) -> float:
    """F1 over pairs of field and value, compared after NFKC, casefold, blanks; 1 where both are empty."""
    return _sets.f1(_values.pairs(gold), _values.pairs(answer))


def shown(answer: str, mode: ReplyMode) -> str:  # noqa: ARG001
    """An answer as a prompt's example shows it: the values without their places."""
    return canonical(Value(value.field, value.text) for value in _values.read(answer))


def by_name(gold: Sequence[str], answers: Sequence[str | None], labels: Sequence[str]) -> list[_sets.Named]:
    """Recall, precision and F1 of each field, over its values."""
    return _sets.by_name(_values.pairs, gold, answers, labels)


def combined(answers: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """Field by field: the values that more than half of the weight is for, and how sure that is on average."""
    total = sum(weight for _, weight in answers)
    weight_of: dict[tuple[str, str], float] = {}
    spelt: dict[tuple[str, str], Value] = {}
    for answer, weight in answers:
        for pair in _values.pairs(answer):
            weight_of[pair] = weight_of.get(pair, 0.0) + weight / total
        for value in _values.read(answer):
            if value.span is not None or value.pair not in spelt:
                spelt[value.pair] = value
    chosen = [spelt[pair] for pair, share in weight_of.items() if share > 0.5]
    sure = [max(share, 1 - share) for share in weight_of.values()] or [1.0]
    return canonical(chosen), sum(sure) / len(sure)


def _unwrapped(value: replies.Value, labels: Sequence[str]) -> Pairs | None:
    """The object with the fields: the value, the only entry of a list, or what stands under a wrapper's name."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if not isinstance(value, Pairs) or value.is_ambiguous:
        return None
    is_wrapped = len(value.pairs) == 1 and value.pairs[0][0].casefold() in set(WRAPPERS) - {*map(str.casefold, labels)}
    inner = value.pairs[0][1] if is_wrapped else value
    return inner if isinstance(inner, Pairs) and not inner.is_ambiguous else None


def _texts(value: replies.Value) -> list[str] | None:
    """The texts of a field's value; None where it is of another shape."""
    texts: list[str] = []
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, Pairs):
            inner = [part for key in VALUE_KEYS for part in one.named(key)]
            one = inner[0] if len(inner) == 1 else one  # noqa: PLW2901
        text = "" if one is None else _structured.plain_text(one)
        if text is None:
            return None
        texts += [text.strip()] if text.strip() else []
    return texts


def _placed_f1(
    gold: Sequence[str],
    answers: Sequence[str | None],
    _labels: Sequence[str],
    _rng: np.random.Generator,
    clusters: NDArray[np.int64] | None = None,
) -> Estimate:
    """Micro-F1 over fields with the exact places of their values; None unless gold and answers have places."""
    given = [answer for answer in answers if answer is not None]
    if not all(_values.are_placed(texts) for texts in (gold, given)):
        return Estimate("span_f1", None, None, None, len(gold), "no places")
    counts = _sets.counted(_values.spans, gold, answers)
    return replace(_sets.micro(counts, _sets.codes(len(gold), clusters)), name="span_f1")


METRICS = {
    "mean_f1": Metric("mean_f1", _sets.mean_f1(_values.pairs), better="higher", unanswered="wrong", in_groups=True),
    "micro_f1": Metric("micro_f1", _sets.micro_f1(_values.pairs), better="higher", unanswered="wrong", in_groups=True),
    "item_exact": Metric(
        "item_exact", _sets.exact(_values.pairs, "item_exact"), better="higher", unanswered="wrong", in_groups=True
    ),
    "span_f1": Metric("span_f1", _placed_f1, better="higher", unanswered="wrong", in_groups=True),
    "coverage": Metric("coverage", _sets.coverage, better="higher", unanswered="counted", in_groups=True),
}

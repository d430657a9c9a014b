"""Several labels of a closed set: gold and answer are a JSON list of names, sorted, each once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from harness.datasets import gold_cells, label_parser, replies
from harness.datasets.cells import is_missing
from harness.datasets.kinds import _sets, _structured
from harness.datasets.problems import ImportProblem
from harness.errors import ConfigError, DatasetError, one_of
from harness.ground.ids import canonical_json
from harness.types import Metric, Outcome, ReplyFormat

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness.datasets.cells import Cell
    from harness.datasets.gold_cells import Form
    from harness.types import JSON, ReplyMode

IS_BINARY = False
HAS_CLASSES = False
NAMES = ("labels", "label")
NONE = ("none", "no label", "no labels", "none of them", "-")
_LIST_ITEM = re.compile(r"\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)")
_LEAD = re.compile(
    r"(?i)\s*[*_]*(?:the\s+)?(?:final\s+)?(?:labels|categories|tags|classes|intents|topics|answers?)[*_]*\s*[:=][*_]*"
)


def read_gold(cell: str, labels: Collection[str], where: str) -> str:
    """The gold labels of a cell, a JSON list; `DatasetError` names the place and the nearest label."""
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise DatasetError(f'{where}: found {cell!r}; expected a JSON list of labels, as in [] or ["a", "b"]')
    for name in value:
        if name not in labels:
            raise DatasetError(f"{where}: label {name!r} is not in [labels]; {one_of(name, labels)}")
    return canonical(value)


def imported(cell: Cell, form: Form) -> str | None:
    """The labels of a cell of people's own file: a list, or names with a separator between them; None for no cell.

    A blank cell says nothing; `[]` says that there is no label.
    """
    listed = cell if isinstance(cell, list) else gold_cells.as_list(cell or "")
    if listed is None:
        text = cell if isinstance(cell, str) else ""
        if is_missing(text):
            return None
        listed = text.split(form.separator) if form.separator else [text]
    names = [gold_cells.plain(part) for part in listed if not is_missing(part)]
    if any(name.startswith("{") for name in names):
        raise ImportProblem(f"{form.where}: column {form.column!r} holds objects, {names[0][:60]}; a label is a text")
    return canonical(names)


def renamed(answer: str, new_name: Mapping[str, str | None]) -> str:
    """The same labels by other names; those without one left out."""
    names = (new_name.get(name, name) for name in parts(answer))
    return canonical(name for name in names if name is not None)


def strata(golds: Sequence[str]) -> list[tuple[str, ...]]:
    """What a split should keep the shares of, per item: its labels."""
    return [parts(gold) for gold in golds]


def canonical(names: Iterable[str]) -> str:
    """The one text for a set of labels."""
    return canonical_json(sorted(set(names)))


def parts(answer: str) -> tuple[str, ...]:
    """The labels that a canonical text names."""
    return tuple(json.loads(answer))


def reply_format(
    mode: ReplyMode, labels: Sequence[str], pattern: str | None = None, fields: Mapping[str, str] | None = None
) -> ReplyFormat:
    """What a model may reply: JSON by a schema, or (modes `label` and `text`) names between commas or on lines."""
    if mode == "choice":
        raise ConfigError("`output: choice` chooses one label, and kind multi has several; use json, label or text")
    if mode != "json":
        return ReplyFormat(mode="text", pattern=pattern)
    listed: JSON = {"type": "array", "items": {"type": "string", "enum": list(labels)}}
    return ReplyFormat(mode="json", schema=_structured.schema(fields or {}, {NAMES[0]: listed}))


def parse(reply: str, labels: Sequence[str], expected: ReplyFormat) -> label_parser.Parsed:
    """The labels that a reply names.

    A label that stands twice counts once, an empty list is an answer, and further keys of an object say nothing. A
    name that is no label makes the whole reply unparsed: what is left of it would be another answer.
    """
    if expected.pattern is not None:
        matches = label_parser.compile_pattern(expected.pattern).finditer(replies.without_thinking(reply))
        matched = [match.group(1) or "" for match in matches]
        return _of_names(matched, labels) if matched else label_parser.UNPARSED
    values = _structured.answered(reply, NAMES)
    if not values:
        return _of_text(replies.without_thinking(reply), labels)
    value = values[0]
    if isinstance(value, list):
        names = [_structured.plain_text(one) for one in value]
        return (
            _of_names([name for name in names if name is not None], labels)
            if None not in names
            else label_parser.UNPARSED
        )
    text = "" if value is None else _structured.plain_text(value)
    return (
        label_parser.UNPARSED if text is None else _of_text(text, labels) if text else (Outcome.ANSWERED, canonical(()))
    )


def credit(gold: str, answer: str, _labels: Sequence[str]) -> float:
    """F1 of the two sets of labels; 1 where both are empty."""
    return _sets.f1(set(parts(gold)), set(parts(answer)))


def shown(answer: str, mode: ReplyMode) -> str:
    """An answer as a prompt's example shows it: as a model is to write it."""
    return ", ".join(parts(answer)) or NONE[0] if mode != "json" else json.dumps(parts(answer), ensure_ascii=False)


def by_name(gold: Sequence[str], answers: Sequence[str | None], labels: Sequence[str]) -> list[_sets.Named]:
    """Recall, precision and F1 of each label."""
    return _sets.by_name(lambda answer: [(name, "") for name in parts(answer)], gold, answers, labels)


def sureness(answer: str, scores: Mapping[str, float]) -> float:
    """How sure an answer is, from a probability per label: the mean probability of what it says of each label."""
    named = set(parts(answer))
    sure = [share if name in named else 1 - share for name, share in scores.items()]
    return sum(sure) / len(sure)


def combined(answers: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """The labels that more than half of the weight is for, and how sure that is: the mean weight behind each choice."""
    total = sum(weight for _, weight in answers)
    weight_of: dict[str, float] = {}
    for answer, weight in answers:
        for name in parts(answer):
            weight_of[name] = weight_of.get(name, 0.0) + weight / total
    chosen = [name for name, share in weight_of.items() if share > 0.5]
    sure = [max(share, 1 - share) for share in weight_of.values()] or [1.0]
    return canonical(chosen), sum(sure) / len(sure)


def _of_text(text: str, labels: Sequence[str]) -> label_parser.Parsed:
    """The labels that stand in a text, between commas or semicolons or on lines of their own."""
    whole = _label(text, labels)
    if whole is not None:
        return Outcome.ANSWERED, canonical([whole])
    lead = _LEAD.match(text)
    body = (text[lead.end() :] if lead else text).strip()
    if body.strip("`*_\"'. ").casefold() in NONE:
        return Outcome.ANSWERED, canonical(())
    names: list[str] = []
    for line in filter(str.strip, body.splitlines()):
        item = _LIST_ITEM.match(line)
        names += _between_commas(line[item.end() :] if item else line, labels)
    return _of_names(names, labels) if names else label_parser.UNPARSED


def _between_commas(line: str, labels: Sequence[str]) -> list[str]:
    """The pieces of a line between commas; a label that has commas of its own stays whole."""
    pieces = [piece for piece in re.split(r"[,;]", line) if piece.strip()]
    most = 1 + max((label.count(",") + label.count(";") for label in labels), default=0)
    names, start = [], 0
    while start < len(pieces):
        ends = range(min(start + most, len(pieces)), start + 1, -1)
        end = next((e for e in ends if _label(",".join(pieces[start:e]), labels)), start + 1)
        names.append(",".join(pieces[start:end]))
        start = end
    return names


def _of_names(names: Sequence[str], labels: Sequence[str]) -> label_parser.Parsed:
    meant = [_label(name, labels) for name in names]
    known = [label for label in meant if label is not None]
    return (Outcome.ANSWERED, canonical(known)) if len(known) == len(names) else label_parser.UNPARSED


def _label(name: str, labels: Sequence[str]) -> str | None:
    """The one label that a text is; an object has been read already."""
    return None if "{" in name and name.strip() not in labels else label_parser.parse_label(name, labels)[1]


METRICS = {
    "mean_f1": Metric("mean_f1", _sets.mean_f1(parts), better="higher", unanswered="wrong", in_groups=True),
    "micro_f1": Metric("micro_f1", _sets.micro_f1(parts), better="higher", unanswered="wrong", in_groups=True),
    "macro_f1": Metric("macro_f1", _sets.macro_f1(parts), better="higher", unanswered="wrong", in_groups=True),
    "subset_accuracy": Metric(
        "subset_accuracy", _sets.exact(parts, "subset_accuracy"), better="higher", unanswered="wrong", in_groups=True
    ),
    "hamming_loss": Metric("hamming_loss", _sets.hamming(parts), better="lower", unanswered="wrong", in_groups=True),
    "coverage": Metric("coverage", _sets.coverage, better="higher", unanswered="counted", in_groups=True),
}

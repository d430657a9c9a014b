"""A number in a range: gold and answer are a number's shortest decimal text.

The two ends of the range stand where other kinds have labels.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets import label_parser, replies
from harness.datasets.cells import is_missing
from harness.datasets.kinds import _sets, _structured
from harness.datasets.problems import ImportProblem
from harness.errors import ConfigError, DatasetError
from harness.stats import correlation, margins
from harness.types import Estimate, Metric, Outcome, ReplyFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.datasets.cells import Cell
    from harness.datasets.gold_cells import Form
    from harness.types import JSON, ReplyMode

    Clusters = NDArray[np.int64] | None
    Numbers = NDArray[np.float64]

IS_BINARY = False
HAS_CLASSES = False
TENTHS = 10
NAMES = ("score", "label", "rating", "value", "number")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LEAD = re.compile(r"(?i)(?:the |my )?(?:final )?(?:score|rating|answer|value|number|label)\s*(?:[:=]|is\b:?)\s*")
_DECORATION = " \t\r\n\"'`*_.[]()"


def canonical(number: float) -> str:
    """The one text of a number: `3`, `-0.5`, never `3.0` or `-0`."""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def limits(labels: Sequence[str]) -> tuple[float, float]:
    """The ends of the range."""
    return float(labels[0]), float(labels[-1])


def parts(answer: str) -> tuple[str, ...]:  # noqa: ARG001
    """The names in an answer: a number has none."""
    return ()


def read_gold(cell: str, labels: Collection[str], where: str) -> str:
    """The gold number of a cell; `DatasetError` where it is none, or lies outside the range."""
    number = number_of(cell)
    if number is None:
        raise DatasetError(f"{where}: found {cell!r}; expected a number")
    low, high = limits(tuple(labels))
    if not low <= number <= high:
        raise DatasetError(f"{where}: {canonical(number)} lies outside the range {low:g} to {high:g}")
    return canonical(number)


def imported(cell: Cell, form: Form) -> str | None:
    """The number of a cell of people's own file; None for no cell. Raises `ImportProblem` where it is no number."""
    text = "" if isinstance(cell, list) else cell or ""
    if is_missing(text):
        return None
    number = number_of(text)
    if number is None:
        hint = "; write a point, not a comma" if re.fullmatch(r"[+-]?\d+,\d+", text.strip()) else ""
        raise ImportProblem(f"{form.where}: column {form.column!r} holds {text[:60]!r}; expected a number{hint}")
    return canonical(number)


def strata(golds: Sequence[str]) -> list[tuple[str, ...]]:
    """What a split should keep the shares of, per item: which tenth of the numbers it lies in."""
    numbers = np.array([float(gold) for gold in golds])
    cuts = np.unique(np.quantile(numbers, np.arange(1, TENTHS) / TENTHS)) if len(numbers) else numbers
    return [(f"{place:02}",) for place in np.searchsorted(cuts, numbers, side="right")]


def number_of(text: str) -> float | None:
    """The number that a text is; None where it is none, or not finite."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def reply_format(
    mode: ReplyMode, labels: Sequence[str], pattern: str | None = None, fields: Mapping[str, str] | None = None
) -> ReplyFormat:
    """What a model may reply: JSON with a number in the range, or a number as text."""
    if mode == "choice":
        raise ConfigError("`output: choice` chooses a label, and kind score has numbers; use json, label or text")
    if mode != "json":
        return ReplyFormat(mode="text", pattern=pattern)
    low, high = limits(labels)
    asked: JSON = {"type": "number", "minimum": low, "maximum": high}
    return ReplyFormat(mode="json", schema=_structured.schema(fields or {}, {NAMES[0]: asked}))


def parse(reply: str, labels: Sequence[str], expected: ReplyFormat) -> label_parser.Parsed:
    """The number that a reply is: alone, after `Score:` and the like, or in a JSON object.

    A number outside the range is unparsed: the nearest end would be another answer. So is more than one number.
    """
    if expected.pattern is not None:
        matches = label_parser.compile_pattern(expected.pattern).finditer(replies.without_thinking(reply))
        numbers = {_number_in(match.group(1) or "") for match in matches}
        number = numbers.pop() if len(numbers) == 1 else None
    else:
        values = _structured.answered(reply, NAMES)
        text = _structured.plain_text(values[0]) if values else replies.without_thinking(reply)
        number = None if text is None or text in ("true", "false") else _number_in(text)
    low, high = limits(labels)
    return (
        label_parser.UNPARSED if number is None or not low <= number <= high else (Outcome.ANSWERED, canonical(number))
    )


def _number_in(text: str) -> float | None:
    bare = _bare(text)
    lead = _LEAD.match(bare)
    bare = bare[lead.end() :] if lead else bare
    return number_of(_bare(bare))


def _bare(text: str) -> str:
    """The text without decoration; a point before the first digit is part of the number."""
    text = text.strip(_DECORATION.replace(".", ""))
    return text.removesuffix(".").strip(_DECORATION.replace(".", ""))


def credit(gold: str, answer: str, labels: Sequence[str]) -> float:
    """1 at the gold number, 0 a whole range away from it, straight in between."""
    low, high = limits(labels)
    return 1 - abs(float(gold) - float(answer)) / (high - low)


def shown(answer: str, mode: ReplyMode) -> str:  # noqa: ARG001
    """An answer as a prompt's example shows it."""
    return answer


def combined(answers: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """The weighted mean, and how sure the members were, by weight."""
    numbers = np.array([float(answer) for answer, _ in answers])
    weights = np.array([weight for _, weight in answers])
    return canonical(float(np.average(numbers, weights=weights))), float(weights.mean())


def mean_credit(
    gold: Sequence[str],
    answers: Sequence[str | None],
    labels: Sequence[str],
    _rng: np.random.Generator,
    clusters: Clusters = None,
) -> Estimate:
    """1 less the mean error in units of the range; 0 for an item without an answer."""
    credits = [0.0 if a is None else credit(g, a, labels) for g, a in zip(gold, answers, strict=True)]
    return margins.share(credits, _sets.codes(len(gold), clusters), name="mean_credit")


def _error(name: str, cost: Callable[[Numbers], Numbers], back: Callable[[float], float]) -> _sets.Estimator:
    """The mean of what an error costs, in units of the range; `back` turns the mean into an error again."""

    def estimate(
        gold: Sequence[str],
        answers: Sequence[str | None],
        labels: Sequence[str],
        _rng: np.random.Generator,
        clusters: Clusters = None,
    ) -> Estimate:
        low, high = limits(labels)
        true, given, codes = _answered(gold, answers, clusters)
        found = margins.share(cost(np.abs(true - given) / (high - low)), codes, name=name)
        return _mapped(found, lambda share: back(share) * (high - low))

    return estimate


def _correlation(measure: Callable[..., Estimate]) -> _sets.Estimator:
    """The correlation of the answers with the gold numbers, by a function of `stats.correlation`."""

    def estimate(
        gold: Sequence[str],
        answers: Sequence[str | None],
        _labels: Sequence[str],
        rng: np.random.Generator,
        clusters: Clusters = None,
    ) -> Estimate:
        true, given, codes = _answered(gold, answers, clusters)
        return measure(true, given, rng, codes)

    return estimate


def _answered(
    gold: Sequence[str], answers: Sequence[str | None], clusters: Clusters
) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
    """The numbers of the items that were answered, gold and given, and their clusters."""
    codes = _sets.codes(len(gold), clusters)
    rows = [i for i, answer in enumerate(answers) if answer is not None]
    true = np.array([float(gold[i]) for i in rows], dtype=np.float64)
    given = np.array([float(answers[i] or "nan") for i in rows], dtype=np.float64)
    return true, given, codes[rows]


def _mapped(found: Estimate, change: Callable[[float], float]) -> Estimate:
    value, low, high = (None if end is None else change(end) for end in (found.value, found.low, found.high))
    return Estimate(found.name, value, low, high, found.n, found.method)


METRICS = {
    "mean_credit": Metric("mean_credit", mean_credit, better="higher", unanswered="wrong", in_groups=True),
    "mae": Metric(
        "mae",
        _error("mae", lambda error: error, lambda mean: mean),
        better="lower",
        unanswered="excluded",
        in_groups=True,
    ),
    "rmse": Metric("rmse", _error("rmse", np.square, math.sqrt), better="lower", unanswered="excluded", in_groups=True),
    "pearson": Metric(
        "pearson", _correlation(correlation.pearson), better="higher", unanswered="excluded", in_groups=True
    ),
    "spearman": Metric(
        "spearman", _correlation(correlation.spearman), better="higher", unanswered="excluded", in_groups=True
    ),
    "coverage": Metric("coverage", _sets.coverage, better="higher", unanswered="counted", in_groups=True),
}

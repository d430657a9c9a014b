"""One label of a closed set, the default kind: gold and answer are a label's name."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from harness.datasets import label_parser
from harness.errors import DatasetError, one_of
from harness.ground.ids import canonical_json
from harness.stats import bootstrap, calibration, intervals, margins
from harness.types import Estimate, Metric, ReplyFormat

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.types import JSON, Confidence, ReplyMode

IS_BINARY = True
HAS_CLASSES = True


def read_gold(cell: str, labels: Collection[str], where: str) -> str:
    """The gold label of a cell; `DatasetError` names the place and the nearest label."""
    if cell not in labels:
        raise DatasetError(f"{where}: label {cell!r} is not in [labels]; {one_of(cell, labels)}")
    return cell


def reply_format(
    mode: ReplyMode, labels: Sequence[str], pattern: str | None = None, fields: Mapping[str, str] | None = None
) -> ReplyFormat:
    """What a model may reply, for a prompt's output mode; `labels` are their aliases in mode `choice`.

    `fields` are what a JSON answer says before its label, by name, with their JSON types.
    """
    schema = _schema(labels, fields or {}) if mode == "json" else None
    options = tuple(labels) if mode in ("label", "choice") else ()
    return ReplyFormat(mode=mode, options=options, schema=schema, pattern=pattern)


def parse(reply: str, labels: Sequence[str], expected: ReplyFormat) -> label_parser.Parsed:
    """The outcome and label of a reply of the expected format."""
    if expected.mode == "text":
        return label_parser.parse_text(reply, labels, expected.pattern or "(.*)")
    return label_parser.parse_label(reply, labels, _beside(expected.schema))


def credit(gold: str, answer: str, _labels: Sequence[str]) -> float:
    """What an answer is worth: 1 where it is the gold label, else 0."""
    return float(gold == answer)


def accuracy(
    gold: Sequence[str],
    answers: Sequence[str | None],
    _labels: Sequence[str],
    _rng: np.random.Generator,
    clusters: NDArray[np.int64] | None = None,
) -> Estimate:
    """The share of items answered with their gold label; Wilson's score interval, in groups at what they are worth."""
    right = [float(g == a) for g, a in zip(gold, answers, strict=True)]
    return _share(right, clusters, "accuracy")


def macro_f1(
    gold: Sequence[str],
    answers: Sequence[str | None],
    labels: Sequence[str],
    rng: np.random.Generator,
    clusters: NDArray[np.int64] | None = None,
) -> Estimate:
    """F1 averaged over the labels with equal weight; percentile bootstrap over items, or over whole groups."""
    code = {label: index for index, label in enumerate(labels)}
    return bootstrap.macro_f1(
        np.array([code[g] for g in gold], dtype=np.int64),
        np.array([-1 if a is None else code[a] for a in answers], dtype=np.int64),
        len(labels),
        rng,
        clusters=clusters,
    )


def coverage(
    _gold: Sequence[str],
    answers: Sequence[str | None],
    _labels: Sequence[str],
    _rng: np.random.Generator,
    clusters: NDArray[np.int64] | None = None,
) -> Estimate:
    """The share of items answered at all; Wilson's score interval, in groups at what they are worth."""
    return _share([float(a is not None) for a in answers], clusters, "coverage")


def ece(confidence: Confidence, rng: np.random.Generator) -> Estimate:
    """Expected calibration error of the answers' scores; percentile bootstrap over items, or whole groups."""
    return calibration.ece(confidence.score, confidence.right, rng, groups=confidence.groups)


def brier(confidence: Confidence, rng: np.random.Generator) -> Estimate:
    """The Brier score over all labels, where their scores are known; percentile bootstrap over items or groups."""
    known = ~np.isnan(confidence.squared_error)
    groups = None if confidence.groups is None else confidence.groups[known]
    return calibration.brier(confidence.squared_error[known], rng, groups=groups)


def aurc(confidence: Confidence, rng: np.random.Generator) -> Estimate:
    """The area under the risk-coverage curve of the answers; percentile bootstrap over items, or whole groups."""
    return calibration.aurc(confidence.score, confidence.right, rng, groups=confidence.groups)


METRICS = {
    "accuracy": Metric("accuracy", accuracy, better="higher", unanswered="wrong", in_groups=True),
    "macro_f1": Metric("macro_f1", macro_f1, better="higher", unanswered="wrong", in_groups=True),
    "coverage": Metric("coverage", coverage, better="higher", unanswered="counted", in_groups=True),
    "ece": Metric("ece", ece, better="lower", unanswered="excluded", needs="scores"),
    "brier": Metric("brier", brier, better="lower", unanswered="excluded", needs="scores"),
    "aurc": Metric("aurc", aurc, better="lower", unanswered="excluded", needs="scores"),
}


def _share(hits: Sequence[float], clusters: NDArray[np.int64] | None, name: str) -> Estimate:
    if clusters is None:
        return intervals.wilson(int(sum(hits)), len(hits), name=name)
    return margins.share(hits, clusters, name=name)


def _schema(labels: Sequence[str], fields: Mapping[str, str]) -> str:
    """The schema of an answer. Models write the properties in the order in which they stand here."""
    properties: dict[str, JSON] = {name: {"type": of} for name, of in fields.items()}
    properties["label"] = {"type": "string", "enum": list(labels)}
    schema: dict[str, JSON] = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    # In canonical JSON keys are sorted, and `label` could come before what was to be said before it.
    return json.dumps(schema, ensure_ascii=False) if fields else canonical_json(schema)


@lru_cache(maxsize=16)
def _beside(schema: str | None) -> tuple[str, ...]:
    return () if schema is None else tuple(name for name in json.loads(schema)["properties"] if name != "label")

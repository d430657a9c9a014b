"""Records of OpenAI Evals (`oaieval`): JSONL of events, the run's specification first.

A `match` event holds the answer and whether it was right; evals that log `metrics` instead (Includes) have the answer
in the sample's first `sampling` event, and were right where their accuracy is 1. That event also holds the prompt, in
which one message is the item's text: a list of messages, or one text with `User: ` before them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import DatasetError
from harness.store.importers import _reading as reading
from harness.store.matching import Foreign
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = re.compile(r"^User: (.*?)(?=\n(?:User|Assistant|System):|\Z)", re.DOTALL | re.MULTILINE)
MODELS = {"completion_fns", "model_name", "model_names"}  # the last two before there were completion functions
SAMPLING, MATCH, METRICS, ERROR = "sampling", "match", "metrics", "error"


@dataclass(slots=True)
class _Sample:
    """The events of one sample: the first of each type, and the place of the last that decides."""

    where: str
    sampling: object = None
    match: object = None
    metrics: object = None
    error: object = None


def recognises(path: Path) -> bool:
    """JSONL that begins with a specification that names its completion functions, or its model."""
    spec = reading.part(reading.first_line(path), "spec")
    return isinstance(spec, dict) and bool(MODELS & set(spec))


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per sample; `DatasetError` when there are no events that hold any."""
    samples: dict[str, _Sample] = {}
    for where, event in reading.lines(path):
        kind = event.get("type")
        if kind in (SAMPLING, MATCH, METRICS, ERROR):
            sample = samples.setdefault(str(event.get("sample_id")), _Sample(where))
            if getattr(sample, kind) is None:
                setattr(sample, kind, event.get("data") or {})
                sample.where = where
    if not samples:
        raise DatasetError(f"{path}: no {MATCH}, {METRICS} or {SAMPLING} events; was the log written to its end?")
    for name, sample in samples.items():
        yield _row(name, sample)


def _row(name: str, sample: _Sample) -> Foreign:
    right = reading.part(sample.match, "correct")
    accuracy = reading.part(sample.metrics, "accuracy")
    if sample.match is None and isinstance(accuracy, int | float) and accuracy in (0, 1):
        right = accuracy == 1
    answer = next((text for text in _answers(sample) if text), None)
    is_failed = answer is None and sample.error is not None
    return Foreign(
        sample.where,
        name,
        None,
        answer,
        outcome=Outcome.FAILED if is_failed else None,
        error=reading.said(sample.error) if is_failed else None,
        was_right=right if isinstance(right, bool) else None,
        other_texts=_messages(reading.part(sample.sampling, "prompt")),
    )


def _answers(sample: _Sample) -> Iterator[str | None]:
    yield _one(reading.part(sample.match, "sampled"))
    yield _one(reading.part(sample.match, "picked"))
    yield _one(reading.part(sample.sampling, "sampled"))


def _messages(prompt: object) -> tuple[str, ...]:
    if isinstance(prompt, str):
        return (prompt, *(found.group(1) for found in USER.finditer(prompt)))[::-1]
    return reading.contents(prompt)


def _one(value: object) -> str | None:
    return reading.text(value[0] if isinstance(value, list) and value else value)

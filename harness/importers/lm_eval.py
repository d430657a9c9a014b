"""Samples of lm-evaluation-harness (`--log_samples`): samples_<task>_<time>.jsonl.

The filtered response is the answer; the document's `id`, or any of its texts, the item. Multiple-choice tasks log
log-likelihoods instead of an answer: the likeliest choice is the answer, where the document lists its choices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.importers import _reading as reading
from harness.matching import Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METRICS = ("exact_match", "acc")


def recognises(path: Path) -> bool:
    """JSONL whose lines have a document's hash and filtered responses."""
    return {"doc_hash", "filtered_resps", "doc"} <= set(reading.first_line(path))


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per document."""
    for where, sample in reading.lines(path):
        document = sample.get("doc")
        right = next((sample[name] for name in METRICS if name in sample), None)
        yield Foreign(
            where,
            reading.text(reading.part(document, "id")),
            None,
            _answer(sample.get("filtered_resps"), document),
            was_right=right == 1 if isinstance(right, int | float) and right in (0, 1) else None,
            other_texts=reading.texts(document),
        )


def _answer(responses: object, document: object) -> str | None:
    if not isinstance(responses, list) or not responses:
        return None
    first = responses[0]
    if isinstance(first, str):
        return first
    choices = reading.part(document, "choices")
    likely = [reading.amount(-_first(response)) for response in responses]  # a log-likelihood is below 0
    if not isinstance(choices, list) or len(choices) != len(likely) or None in likely:
        return None
    best = min(range(len(likely)), key=lambda i: likely[i] or 0.0)
    return reading.text(choices[best])


def _first(response: object) -> float:
    value = response[0] if isinstance(response, list) and response else response
    try:
        return float(value) if isinstance(value, int | float | str) else float("inf")
    except ValueError:
        return float("inf")

"""Texts that say nothing, and texts far longer than the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

LONG = 2_000  # characters
TIMES = 20
EMPTY = _rows.Said(
    Severity.WARNING,
    "hold neither a letter nor a digit nor a symbol",
    "drop them, or say in the prompt what to do with them: harness dataset new-version {ref} --to VERSION --drop FILE",
)
GIANT = _rows.Said(
    Severity.NOTE,
    f"are more than {TIMES} times as long as the median",
    "know that they cost most of the tokens; cut them, or see that the model's window holds them",
)


def check(subject: Subject) -> list[Finding]:
    """The rows without anything to read, and the giants."""
    texts = [example.item.text for example in subject.dataset.examples]
    empty = [row for row, text in enumerate(texts) if not any(char.isalnum() or ord(char) > 0x2000 for char in text)]
    median = float(np.median([len(text) for text in texts])) if texts else 0.0
    giant = [row for row, text in enumerate(texts) if len(text) > max(LONG, TIMES * median)]
    return [
        *_rows.finding(subject, empty, EMPTY, [repr(shown(texts[row])) for row in empty]),
        *_rows.finding(subject, giant, GIANT, [f"{len(texts[row]):,} characters" for row in giant]),
    ]

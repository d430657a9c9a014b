"""Texts that were cut off: too many of exactly the greatest length, or an ellipsis at a fixed length."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

SHORTEST = 40  # characters; many short texts have one length by chance
FEWEST = 5
WINDOW = 20
TIMES = 5.0
ENDS = ("...", "…")
CUT = _rows.Said(
    Severity.WARNING,
    "seem to be cut off",
    "look at the source: an export or a column limit may have dropped the ends; import the whole texts",
)


def check(subject: Subject) -> list[Finding]:
    """The rows whose length is the greatest there is, where far more have it than the lengths just below."""
    lengths = [len(example.item.text) for example in subject.dataset.examples]
    longest = max(lengths, default=0)
    counts = Counter(lengths)
    usual = sum(counts[length] for length in range(longest - WINDOW, longest)) / WINDOW
    ends = [row for row, length in enumerate(lengths) if length == longest]
    is_cut = longest >= SHORTEST and len(ends) >= max(FEWEST, TIMES * usual)
    rows = [row for row in ends if is_cut and subject.texts[row] not in _repeated(subject, ends)]
    if len(rows) < FEWEST:
        rows = _with_ellipsis(subject, lengths)
    return _rows.finding(
        subject, rows, CUT, [f"{lengths[row]:,} characters: {shown(subject.texts[row])}" for row in rows]
    )


def _repeated(subject: Subject, rows: list[int]) -> set[str]:
    """Texts that stand there more than once: equal texts are of equal length without having been cut."""
    counts = Counter(subject.texts[row] for row in rows)
    return {text for text, n in counts.items() if n > 1}


def _with_ellipsis(subject: Subject, lengths: list[int]) -> list[int]:
    """Rows that end in an ellipsis at one and the same length, if they are many."""
    dotted = [row for row, e in enumerate(subject.dataset.examples) if e.item.text.rstrip().endswith(ENDS)]
    by_length = Counter(lengths[row] for row in dotted if lengths[row] >= SHORTEST)
    if not by_length:
        return []
    length, n = by_length.most_common(1)[0]
    return [row for row in dotted if lengths[row] == length] if n >= max(FEWEST, len(dotted) / 2) else []

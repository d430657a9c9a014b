"""Gold answers that look wrong for their kind: empty ones, values that the text does not hold, numbers at the ends.

Kinds say themselves what to look for; several labels, fields and numbers are known here.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.checks._rows import Said
from harness.datasets.audit.equality import normal_form
from harness.datasets.audit.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.datasets.audit.subject import Subject

    Check = Callable[[Subject], list[Finding]]

EMPTY = Said(
    Severity.NOTE,
    "have no {what}",
    "look at some: an empty answer is right where there is nothing to say, and a gap where nobody has looked",
)
NOT_IN_TEXT = Said(
    Severity.WARNING,
    "have a value that does not stand in their text",
    "no arm that copies from the text can give it; write values as they stand there, or make it a label: "
    "harness dataset new-version {ref} --to VERSION --edits FILE",
)
MISPLACED = Said(
    Severity.ERROR,
    "have a value with a place at which the text says something else",
    "places count characters of the text, the end behind the last: harness dataset new-version {ref} --to VERSION "
    "--edits FILE",
)
OVERLAPPING = Said(
    Severity.WARNING,
    "have values whose places overlap",
    "an arm that tags tokens can give one of them only; decide which is meant",
)
ENDS = 0.5  # of the rows at one end of a range say that the range is too short, or the question too easy


def check(subject: Subject) -> list[Finding]:
    """What looks wrong in gold answers, by kind; nothing for kinds that are not known here."""
    found: Check | None = {"multi": _of_labels, "extract": _of_fields, "score": _of_numbers}.get(subject.dataset.kind)
    return [] if found is None else found(subject)


def _of_labels(subject: Subject) -> list[Finding]:
    return _empty(subject, "[]", "label")


def _of_fields(subject: Subject) -> list[Finding]:
    absent: dict[int, str] = {}
    misplaced: dict[int, str] = {}
    overlapping: dict[int, str] = {}
    for row, (gold, example) in enumerate(zip(subject.labels, subject.dataset.examples, strict=True)):
        text = example.item.text
        values = [(name, one) for name, held in json.loads(gold).items() for one in _listed(held)]
        for name, value in values:
            if isinstance(value, dict):
                if text[value["start"] : value["end"]] != value["text"]:
                    misplaced[row] = f"{name}: {value['text']!r} at {value['start']}"
            elif normal_form(str(value)) not in normal_form(text):
                absent[row] = f"{name}: {value!r}"
        places = sorted((one["start"], one["end"], name) for name, one in values if isinstance(one, dict))
        if any(first[1] > second[0] for first, second in pairwise(places)):
            overlapping[row] = ", ".join(f"{name} {start}-{end}" for start, end, name in places)
    return [
        *_empty(subject, "{}", "field with a value"),
        *(found for rows, said in ((misplaced, MISPLACED), (absent, NOT_IN_TEXT), (overlapping, OVERLAPPING))
          for found in _rows.finding(subject, list(rows), said, list(rows.values()))),
    ]  # fmt: skip


def _of_numbers(subject: Subject) -> list[Finding]:
    counts = Counter(subject.labels)
    low, high = subject.dataset.label_names
    found = []
    for end in (low, high):
        rows = [row for row, gold in enumerate(subject.labels) if float(gold) == float(end)]
        if len(rows) > ENDS * len(subject.labels):
            said = Said(
                Severity.WARNING,
                f"lie at the end {end} of the range",
                "a scale that most rows reach the end of tells little: widen it, or make it a label",
            )
            found += _rows.finding(subject, rows, said, [end] * len(rows))
    if len(counts) == 1:
        said = Said(Severity.ERROR, "have the same number", "there is nothing to tell apart")
        found += _rows.finding(subject, list(range(len(subject.labels))), said, subject.labels)
    return found


def _empty(subject: Subject, empty: str, what: str) -> list[Finding]:
    rows = [row for row, gold in enumerate(subject.labels) if gold == empty]
    said = Said(EMPTY.severity, EMPTY.what.format(what=what), EMPTY.remedy)
    return _rows.finding(subject, rows, said, [""] * len(rows))


def _listed(held: object) -> Sequence[object]:
    return held if isinstance(held, list) else [held]

"""Labels whose names are nearly the same, or spelt unlike the others: often one label by accident."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

from harness.datasets.audit.findings import Evidence, Finding, Severity
from harness.datasets.audit.subject import by_value
from harness.ground.formatting import plural

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

NEEDS = ("classes",)
ENOUGH = 5  # labels of one style, before another style is odd
BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=[^\W\d_])")


def check(subject: Subject) -> list[Finding]:
    """Labels that differ in case, blanks or joining signs alone; and the few that are spelt in another style."""
    names = list(subject.dataset.label_names)
    return _twins(subject, names) + _odd(names)


def _twins(subject: Subject, names: list[str]) -> list[Finding]:
    keys = list(map(_spoken, names))
    twins = [[names[i] for i in rows] for rows in by_value(keys, range(len(names))).values() if len(rows) > 1]
    if not twins:
        return []
    concerned = {name for family in twins for name in family}
    return [
        Finding(
            Severity.ERROR,
            f"{plural(len(twins), 'label')} spelt in more than one way: {', '.join(map(repr, twins[0]))}"
            + (", ..." if len(twins) > 1 else ""),
            f"write them in one way: harness dataset new-version {subject.dataset.ref} --to VERSION --edits FILE",
            tuple(subject.ids[row] for row, label in enumerate(subject.labels) if label in concerned),
            {"spelt twice": len(twins)},
            Evidence(("labels",), tuple((", ".join(map(repr, family)),) for family in twins)),
        )
    ]


def _spoken(name: str) -> str:
    """The name as one says it: without case, and without what joins words.

    A sign beside a digit or at an end is part of the name: `-1` is not `1`, `0,1,4` not `0,14`, `C++` not `C`.
    """
    composed = unicodedata.normalize("NFC", name).casefold().strip()
    return BETWEEN_LETTERS.sub("", composed)


def _odd(names: list[str]) -> list[Finding]:
    """The one or two labels that have a capital, a blank or a sign where all others have none."""
    marks = {name: _marks(name) for name in names}
    counts = Counter(mark for found in marks.values() for mark in found)
    rare = {mark for mark, n in counts.items() if n <= max(1, len(names) // 20) and len(names) - n >= ENOUGH}
    odd = [(name, ", ".join(sorted(found & rare))) for name, found in marks.items() if found & rare]
    if not odd:
        return []
    return [
        Finding(
            Severity.NOTE,
            f"{plural(len(odd), 'label')} spelt unlike the other {len(names) - len(odd):,}: "
            f"{', '.join(repr(name) for name, _ in odd[:5])}",
            "nothing, if they are meant so; a prompt has to reply them exactly",
            facts={"odd": len(odd)},
            evidence=Evidence(("label", "what is odd"), tuple(odd)),
        )
    ]


def _marks(name: str) -> set[str]:
    signs = {f"{char!r}" for char in name if not char.isalnum() and char not in "_- "}
    if name[:1].isupper():
        signs.add("begins with a capital")
    if name != name.strip():
        signs.add("begins or ends with a blank")
    return signs

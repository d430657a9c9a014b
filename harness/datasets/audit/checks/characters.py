"""Characters that nobody sees: control characters, zero-width ones, and those that turn the direction."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
UNSEEN = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
JOINERS = re.compile("[\u200c\u200d\ufe0e\ufe0f]")
REMEDY = "take them out in the source: they make equal texts different, and tokenizers read them"
CONTROLS = _rows.Said(Severity.WARNING, "hold control characters", REMEDY)
INVISIBLE = _rows.Said(Severity.WARNING, "hold invisible characters", REMEDY)
JOINED = _rows.Said(
    Severity.NOTE,
    "hold joiners or variation selectors (emoji, scripts that join letters)",
    "nothing, if all rows write them in the same way; some tools drop them",
)


def check(subject: Subject) -> list[Finding]:
    """The rows with control characters, with invisible ones, and with joiners where they belong."""
    control, unseen, joined = [], [], []
    for row, text in enumerate(subject.texts):
        if text.isascii() and text.isprintable():
            continue
        if CONTROL.search(text):
            control.append(row)
        if any(not _belongs(text, hit.start()) for hit in UNSEEN.finditer(text)):
            unseen.append(row)
        if any(_belongs(text, hit.start()) for hit in JOINERS.finditer(text)):
            joined.append(row)
    texts = subject.texts
    return [
        *_rows.finding(subject, control, CONTROLS, [_named(texts[row], CONTROL) for row in control]),
        *_rows.finding(subject, unseen, INVISIBLE, [_named(texts[row], UNSEEN) for row in unseen]),
        *_rows.finding(subject, joined, JOINED, [_named(texts[row], JOINERS) for row in joined]),
    ]


def _belongs(text: str, place: int) -> bool:
    """Whether a joiner or selector stands behind something it can join: an emoji, a letter that is not Latin."""
    if place == 0 or not JOINERS.match(text[place]):
        return False
    before = text[place - 1]
    return not before.isascii() and not unicodedata.name(before, "").startswith("LATIN") and not before.isspace()


def _named(text: str, pattern: re.Pattern[str]) -> str:
    """Which characters they are, by code point and name; never the characters themselves."""
    found = sorted({hit.group() for hit in pattern.finditer(text)})
    return ", ".join(f"U+{ord(char):04X} {unicodedata.name(char, 'control')}".lower() for char in found[:4])

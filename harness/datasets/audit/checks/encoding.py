"""Text that was decoded, escaped or quoted once too often or too seldom on its way here."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.datasets.audit.subject import Subject

RUN = re.compile("[\u0080-\uffff]{2,}")
ENTITY = re.compile(r"&(?:[A-Za-z]{2,8}|#[0-9]{2,6}|#x[0-9A-Fa-f]{2,5});")
LOST = "\ufffd"
REMEDY = "read the source again in its own encoding and import it anew: harness dataset import --encoding NAME"


def check(subject: Subject) -> list[Finding]:
    """The rows with UTF-8 read as another encoding, lost characters, HTML entities, and quotes without a partner."""
    found = []
    for said, is_it in (
        (_rows.Said(Severity.WARNING, "hold UTF-8 that was read as another encoding (mojibake)", REMEDY), is_mojibake),
        (_rows.Said(Severity.WARNING, "hold U+FFFD: a character was lost", REMEDY), _is_lossy),
        (
            _rows.Said(Severity.WARNING, "hold HTML entities", "unescape the texts before they are imported"),
            _is_escaped,
        ),
        (
            _rows.Said(
                Severity.NOTE,
                "hold a quotation mark without a partner",
                "nothing, if the texts are like that; if the file was not quoted, a CSV reader glued rows together",
            ),
            _is_half_quoted,
        ),
    ):
        found += _where(subject, said, is_it)
    return found


def _where(subject: Subject, said: _rows.Said, is_it: Callable[[str], bool]) -> list[Finding]:
    rows = [row for row, text in enumerate(subject.texts) if is_it(text)]
    return _rows.finding(subject, rows, said, [shown(subject.texts[row]) for row in rows])


def is_mojibake(text: str) -> bool:
    """Whether some letters, written as the bytes of a Western encoding, are UTF-8: `Ã©`, `â€™`."""
    return not text.isascii() and any(_reads_as_utf8(hit.group()) for hit in RUN.finditer(text))


def _reads_as_utf8(run: str) -> bool:
    for encoding in ("cp1252", "latin-1"):
        try:
            run.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return True
    return False


def _is_lossy(text: str) -> bool:
    return LOST in text


def _is_escaped(text: str) -> bool:
    return "&" in text and any(html.unescape(hit.group()) != hit.group() for hit in ENTITY.finditer(text))


def _is_half_quoted(text: str) -> bool:
    return text.count('"') % 2 == 1

"""Rows in another script or language than the rest, and words that mix look-alike letters."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.datasets.audit.checks import _rows
from harness.datasets.audit.findings import Finding, Severity
from harness.datasets.audit.patterns import shown

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Subject

MAIN = 0.90  # of the rows share a script or language, before the others stand out
READ = 200  # characters of each text
FEWEST_WORDS = 3
MIXED = re.compile("[A-Za-z][\u0370-\u03ff\u0400-\u04ff]|[\u0370-\u03ff\u0400-\u04ff][A-Za-z]")
WORD = re.compile(r"[^\W\d_]+")
# Words that carry no topic and belong to one of these languages alone.
FUNCTION_WORDS = {
    "English": "the and is of to my your you what how why was are have has been this that with for from can it i",
    "German": "der die das und ist nicht ich ein eine mit wie wird auf den dem zu von habe meine warum",
    "French": "le les et est des une pas je vous pour dans qui sur mon ma avec que pourquoi comment cette",
    "Spanish": "el los las y es una por para con mi cómo qué como pero está muy del puedo tengo",
    "Italian": "il gli è e che di per una non mi come sono della questo perché posso ho",
    "Portuguese": "os as é uma não com meu minha como você para está por que foi do da em",
    "Dutch": "het een en ik niet van mijn hoe wat is voor met op zijn waarom kan dit dat",
}
_LANGUAGES_OF: dict[str, list[str]] = {}
for _name, _words in FUNCTION_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word, []).append(_name)

MIX = _rows.Said(
    Severity.WARNING,
    "hold words that mix Latin letters with Greek or Cyrillic ones",
    "look-alike letters hide words from rules and classifiers; map them in the source, unless they are the task",
)


def check(subject: Subject) -> list[Finding]:
    """The rows in a minority script or language, where nearly all others share one; and mixed words."""
    texts = subject.texts
    mixed = [row for row, text in enumerate(texts) if not text.isascii() and MIXED.search(text)]
    return [
        *_minority(subject, [script(text[:READ]) for text in texts], "script"),
        *_minority(subject, [language(text[:READ]) for text in texts], "language"),
        *_rows.finding(subject, mixed, MIX, [shown(texts[row]) for row in mixed]),
    ]


def script(text: str) -> str | None:
    """The script most letters of a text are written in, by Unicode's names; None without letters."""
    if text.isascii():
        return "Latin" if any(char.isalpha() for char in text) else None
    counts = Counter(_script_of(char) for char in text if char.isalpha())
    return counts.most_common(1)[0][0] if counts else None


def language(text: str) -> str | None:
    """The language whose function words a text holds, when it is three or more and clearly one; None when unsure."""
    counts = Counter(name for word in WORD.findall(text.casefold()) for name in _LANGUAGES_OF.get(word, ()))
    best = counts.most_common(2)
    if not best or best[0][1] < FEWEST_WORDS or (len(best) > 1 and best[1][1] > best[0][1] / 2):
        return None
    return best[0][0]


def _minority(subject: Subject, values: list[str | None], noun: str) -> list[Finding]:
    counts = Counter(value for value in values if value is not None)
    if len(counts) < 2:
        return []
    (main, n), known = counts.most_common(1)[0], sum(counts.values())
    if n < MAIN * known:
        return []
    rows = [row for row, value in enumerate(values) if value not in (main, None)]
    said = _rows.Said(
        Severity.NOTE,
        f"are in another {noun} than {main}, which {n:,} are in",
        "score them on their own, or leave them out, if they are not what the task is about",
    )
    return _rows.finding(subject, rows, said, [f"{values[row]}: {shown(subject.texts[row])}" for row in rows])


@lru_cache(maxsize=4096)
def _script_of(char: str) -> str:
    return unicodedata.name(char, "unknown").partition(" ")[0].capitalize()

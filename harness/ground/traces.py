"""Whether one of some texts stands in another one, in whichever spelling: what is erased must be found first."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.types import JSON

ERASED = "[erased]"
ESCAPE = re.compile(r'(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))+')  # all in a row: two may be one character
WORD = re.compile(r"[a-z0-9]+")
NEVER = re.compile(r"(?!)")


class Traces:
    """Texts to look for. Case and blanks do not count, and escapes of JSON, HTML and CSV are seen through.

    A text is met as whole words: `ann` does not stand in `cannot`.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = tuple(dict.fromkeys(text for text in texts if text.strip()))
        bounded = [_bounded(_normal(text)) for text in self.texts]
        self._pattern = re.compile("|".join(bounded)) if bounded else NEVER

    @property
    def words(self) -> list[str]:
        """A word of each text that stands in whatever holds the text, escaped or not; "" where there is none.

        In lower case, for a look over many rows by a database before `stand_in` has the last word.
        """
        return [max(WORD.findall(text.lower()), key=len, default="") for text in self.texts]

    def stand_in(self, value: str) -> bool:
        """Whether a text says one of them."""
        if not self.texts:
            return False
        forms = {value}
        if "\\" in value:
            forms.add(ESCAPE.sub(_unescaped, value))
        if "&" in value:
            forms.add(html.unescape(value))
        if '""' in value:
            forms.add(value.replace('""', '"'))
        return any(self._pattern.search(_normal(form)) for form in forms)

    def erased(self, value: JSON) -> JSON:
        """The value with a mark in place of each text inside it that says one of them."""
        if isinstance(value, str):
            return ERASED if self.stand_in(value) else value
        if isinstance(value, dict):
            return {ERASED if self.stand_in(name) else name: self.erased(part) for name, part in value.items()}
        return [self.erased(part) for part in value] if isinstance(value, list | tuple) else value


def forms(text: str) -> set[str]:
    """How a text stands in the files of people and programs: as it is, in JSON, in CSV, in HTML."""
    in_json = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    return {text, *in_json, text.replace('"', '""'), html.escape(text), html.escape(text, quote=False)}


def _normal(text: str) -> str:
    return " ".join(text.casefold().split())


def _bounded(text: str) -> str:
    # Only where words have ends: other scripts write none between them.
    before = "(?<![a-z0-9_])" if re.match(r"[a-z0-9_]", text) else ""
    after = "(?![a-z0-9_])" if re.search(r"[a-z0-9_]$", text) else ""
    return before + re.escape(text) + after


def _unescaped(found: re.Match[str]) -> str:
    read: str = json.loads(f'"{found[0]}"')
    return read

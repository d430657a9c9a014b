"""One escape for whatever is printed: what a dataset, a model or a server says moves no cursor and gives no command.

Terminals act on control characters (OSC 52 writes the clipboard), CI systems on lines that begin with `::`.
Both streams of the command line are put behind `Cleaned`, so no command has to think of it.
"""

from __future__ import annotations

import codecs
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

# Control characters, direction marks and halves of characters; colours, which libraries of ours print, stay.
COLOUR = r"(?!\x1b\[[0-9;]{0,32}m)"
CONTROLS = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
UNSEEN = re.compile(COLOUR + CONTROLS)
# What moves the cursor of a progress bar: return, erase, up, hide and show.
UNSEEN_ON_A_BAR = re.compile(r"(?!\x1b\[[0-9;]{0,32}m|\x1b\[[0-9]{0,4}[AK]|\x1b\[\?25[lh]|\r)" + CONTROLS)
COMMAND = re.compile(r"^([^\S\n]*)(?:::|##\[|##vso)", re.MULTILINE)
ANNOTATION = re.compile(r"[^\S\n]*::(?:error|warning|notice)[ :]")
PLAINER = "harness.plainer"
# Of the characters that we print ourselves; each as wide as its twin, so that tables stay straight.
TWINS = {"–": "-", "—": "-", "−": "-", "─": "-", "━": "-", "µ": "u", "…": "~", "×": "x", "²": "2", "·": "."}
C1 = re.compile(r"[\x7f-\x9f\ud800-\udfff]")


def in_json(text: str) -> str:
    """JSON text with the control characters escaped that JSON itself would let through."""
    return C1.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Cleaned:
    """A text stream that prints characters and colours, and no line that a CI system would carry out.

    On the stream of messages, annotations (`::error`) are let through, and the cursor where it `has_bar`.
    """

    def __init__(self, stream: TextIO, *, has_bar: bool = False, annotates: bool = False) -> None:
        self._stream = stream
        self._unseen = UNSEEN_ON_A_BAR if has_bar else UNSEEN
        self._annotates = annotates
        self._is_at_start = True

    def write(self, text: str) -> int:
        """Write what may be seen of the text; its whole length."""
        shown = self._unseen.sub("\N{REPLACEMENT CHARACTER}", text)
        shown = COMMAND.sub(self._broken, shown)
        self._stream.write(shown)
        last = shown.rpartition("\n")[2]
        self._is_at_start = not last.strip() and (self._is_at_start or "\n" in shown)
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def _broken(self, found: re.Match[str]) -> str:
        in_line = found.start() == 0 and not self._is_at_start
        allowed = self._annotates and ANNOTATION.match(found.string, found.start())
        return found[0] if in_line or allowed else f"{found[1]}\\{found[0][len(found[1]) :]}"


def _plainer(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that a stream's encoding lacks: ours have a plain twin, others become escapes."""
    assert isinstance(error, UnicodeEncodeError)  # nothing is decoded here
    text = error.object[error.start : error.end]
    plain = "".join(TWINS.get(char, char) for char in text)
    return plain.encode("ascii", "backslashreplace").decode("ascii"), error.end


codecs.register_error(PLAINER, _plainer)


@contextmanager
def cleaned_streams() -> Iterator[None]:
    """Within, what is printed is cleaned, and what an old terminal cannot show is written as an escape."""
    out, err = sys.stdout, sys.stderr
    for stream in (out, err):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=PLAINER)
    sys.stdout = Cleaned(out)
    sys.stderr = Cleaned(err, has_bar=err.isatty(), annotates=True)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err

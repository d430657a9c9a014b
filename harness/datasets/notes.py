"""What was repaired, left out or noticed while files were read: counted, with the first place of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.ground import formatting

How = Literal["repaired", "left out", "noticed"]
LONGEST = 80
DISAGREE = "items whose annotators chose different labels (taken as unlabelled)"
MERGED = "merged cells, of which the first alone holds the value"


@dataclass(slots=True)
class Note:
    """One kind of repair (`how`), in words (`what`): how often, where first, and an example of it."""

    how: How
    what: str
    n: int
    where: str
    example: str

    @property
    def sentence(self) -> str:
        """The note on one line."""
        example = f"; {self.example}" if self.example else ""
        line = f"{self.what}: {self.n:,}, the first at {self.where}{example}"
        return "".join(char if char.isprintable() else "\ufffd" for char in line)


class Notes:
    """The notes of one reading, in the order in which each was made first."""

    def __init__(self) -> None:
        self._notes: dict[tuple[How, str], Note] = {}

    def add(self, how: How, what: str, where: str, example: str = "", n: int = 1) -> None:
        """Count one more; place and example are kept of the first."""
        note = self._notes.get((how, what))
        if note is None:
            self._notes[how, what] = Note(how, what, n, where, formatting.cut(example, LONGEST))
        else:
            note.n += n

    def count(self, what: str) -> int:
        """How often it was noted."""
        return sum(note.n for note in self._notes.values() if note.what == what)

    def all(self) -> tuple[Note, ...]:
        """Every note."""
        return tuple(self._notes.values())

    def changed(self) -> str:
        """What is not as in the files, for the manifest; empty when everything is."""
        return "; ".join(note.sentence for note in self.all() if note.how != "noticed")

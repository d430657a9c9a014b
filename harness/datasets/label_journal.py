"""What people said of items, one line each, on the disk before anything else happens. Only ever appended to.

A kill loses nothing that was acknowledged: a line is flushed to the disk before `append` returns, and a line that was
cut off in the middle is not read. Several processes may write to one journal: a line goes out in one write.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from harness.errors import DatasetError
from harness.ground import private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "journal.jsonl"
Act = Literal["label", "skip", "cannot tell", "undo", "adjudicate"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a person did with an item.

    `answer` is canonical text of the kind for `label` and `adjudicate`. `suggested` is what the page showed as a
    suggestion before the answer, None where it showed none: suggestions bias. `weight` is how many items this one
    stands for (None: it was chosen, not drawn), `how` the way it was drawn; `seconds` how long the answer took.
    """

    act: Act
    item: str
    annotator: str
    at: str
    answer: str | None = None
    suggested: str | None = None
    weight: float | None = None
    how: str = "random"
    seconds: float | None = None


class Journal:
    """The journal of one dataset version's labels."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._read_to = 0
        self._entries: list[Entry] = []

    def open(self) -> None:
        """Make its folder and file where they are not there. Raises `OSError` where nothing could be written."""
        os.close(self._opened())

    def append(self, entry: Entry) -> None:
        """Write an entry and wait until it is on the disk."""
        line = json.dumps(asdict(entry), ensure_ascii=True, allow_nan=False) + "\n"
        handle = self._opened()
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                line = "\n" + line  # what was cut off before stays a line of its own, which is not read
            os.write(handle, line.encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def _opened(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with private.files():
            return os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)

    def entries(self) -> list[Entry]:
        """All entries, in the order in which they were written; other processes' too."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            block = file.read()
        whole = block[: block.rfind(b"\n") + 1]
        self._read_to += len(whole)
        self._entries += [entry for line in whole.splitlines() if (entry := _entry(line)) is not None]
        return list(self._entries)


def _entry(line: bytes) -> Entry | None:
    """The entry of a line; None for one that was cut off by a kill."""
    try:
        return Entry(**json.loads(line))
    except ValueError:
        return None
    except TypeError as error:
        raise DatasetError(f"{FILE}: a line holds what this version does not know: {error}") from None


def standing(entries: Iterable[Entry]) -> dict[str, dict[str, Entry]]:
    """What each person last said of each item, by item and person; an undo takes back what that person said of it."""
    said: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        of_item = said.setdefault(entry.item, {})
        who = "" if entry.act == "adjudicate" else entry.annotator  # '' decides for all
        if entry.act == "undo":
            of_item.pop(entry.annotator, None)
            if entry.answer == "adjudicate":
                of_item.pop("", None)
        else:
            of_item[who] = entry
    return said


def agreed(of_item: dict[str, Entry]) -> str | None:
    """The label of an item: what was adjudicated, else what everybody who labelled it says; None where they differ."""
    if "" in of_item:
        return of_item[""].answer
    answers = {entry.answer for entry in of_item.values() if entry.act == "label"}
    return answers.pop() if len(answers) == 1 else None

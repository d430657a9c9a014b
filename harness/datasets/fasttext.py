"""fastText's lines: `__label__NAME` before (or behind) the text, several times where an item has several labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets import text_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.datasets.cells import Cell
    from harness.datasets.layouts import Layout

PREFIX = "__label__"


def is_fasttext(path: Path, layout: Layout) -> bool:
    """Whether the first line that says something has such a label."""
    first = next((line for line in text_files.lines(path, layout.encoding) if line.strip()), "")
    return any(word.startswith(PREFIX) for word in first.split())


def read(path: Path, layout: Layout) -> Iterator[tuple[str, dict[str, Cell]]]:
    """The lines as rows with the columns `text` and `label`; blanks inside the text stay as they are."""
    for number, line in enumerate(text_files.lines(path, layout.encoding), start=1):
        text, labels = line.strip(), list[str]()
        while text.startswith(PREFIX):
            word, _, text = text.partition(" ") if " " in text else (text, "", "")
            labels.append(word.removeprefix(PREFIX).strip())
            text = text.lstrip()
        while text.rpartition(" ")[2].startswith(PREFIX):
            text, _, word = text.rpartition(" ")
            labels.append(word.removeprefix(PREFIX))
            text = text.rstrip()
        if text or labels:
            yield f"{path}:{number}", {"text": text, "label": labels[0] if len(labels) == 1 else labels}

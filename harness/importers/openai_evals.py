"""Records of OpenAI Evals (`oaieval`): JSONL of events, the run's specification first.

A `match` event holds the answer and whether it was right; the `sampling` event of the same sample holds the
prompt, in which one message is the item's text: a list of messages, or one text with `User: ` before them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.importers import _reading as reading
from harness.matching import Foreign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = re.compile(r"^User: (.*?)(?=\n(?:User|Assistant|System):|\Z)", re.DOTALL | re.MULTILINE)


def recognises(path: Path) -> bool:
    """JSONL that begins with a specification that names its completion functions."""
    return "completion_fns" in str(reading.part(reading.first_line(path), "spec") or "")


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per sample that was matched."""
    prompts: dict[str, tuple[str, ...]] = {}
    for where, event in reading.lines(path):
        sample, kind, said = str(event.get("sample_id")), event.get("type"), event.get("data")
        if kind == "sampling":
            prompts[sample] = _messages(reading.part(said, "prompt"))
        elif kind == "match":
            right = reading.part(said, "correct")
            picked, sampled = (reading.part(said, name) for name in ("picked", "sampled"))
            yield Foreign(
                where,
                sample,
                None,
                _one(sampled) or _one(picked),
                was_right=right if isinstance(right, bool) else None,
                other_texts=prompts.get(sample, ()),
            )


def _messages(prompt: object) -> tuple[str, ...]:
    if isinstance(prompt, str):
        return (prompt, *(found.group(1) for found in USER.finditer(prompt)))[::-1]
    said = prompt if isinstance(prompt, list) else []
    return tuple(one for message in said for one in [reading.part(message, "content")] if isinstance(one, str))[::-1]


def _one(value: object) -> str | None:
    return reading.text(value[0] if isinstance(value, list) and value else value)

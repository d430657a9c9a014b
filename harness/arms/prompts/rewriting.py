"""What a model is asked that proposes a better template: the prompt, the labels, right and wrong items, what was tried.

Items are data in JSON lines, so that what one says cannot be taken for a part of the question; whatever comes of it
is read strictly (`proposals`) and judged by its answers alone.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.types import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.prompts.files import Prompt
    from harness.types import Dataset, Item

LONGEST_TEXT = 1_500  # characters of an item, of a reply
LONGEST_CHANGE = 1_200  # characters of what was tried
MOST_TRIED = 8

TASK = """\
You improve the prompt of a text task. A model gets the prompt once for every item, and its answers are scored against \
labels made by people. You are shown the prompt as a Jinja template, what the labels mean, training items with the \
right answer and the model's reply, and changes that were tried before.

Find out why the wrong replies are wrong: a label that is misunderstood, a rule of the labels that the prompt does not \
say, a form of answer that cannot be read. Then write the whole template anew. General rules help on items that nobody \
has seen; single items do not.

Rules:
- Keep the blocks (`{% block system %}`, `{% block user %}`, `{% block assistant %}`), and every variable and label \
that the template shows now.
- Templates see: item.text, item.tags, item.fields, labels (name, description), examples (text, tags, label), task.
- Do not copy the text of any item into the template.
- The reply that the model has to give stays the same, for a program reads it.
- At most about %(most_tokens)s tokens.

Say in a few sentences what you change and why. Then give the whole template in one fenced block, and no other fenced \
block."""
SHORTER = """
The aim is a shorter prompt that is as good: leave out what the model does not need, and say the rest in fewer words."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A training item with its right answer, the model's reply, and what that was worth, 0 to 1."""

    item: Item
    gold: str
    reply: str
    credit: float


@dataclass(frozen=True, slots=True)
class Attempted:
    """A template that was tried, the one that it changed, and what came of it, in words."""

    source: str
    base: str
    result: str


@dataclass(frozen=True, slots=True)
class Brief:
    """What is known when a proposal is asked for."""

    prompt: Prompt
    lessons: tuple[Lesson, ...]
    attempts: tuple[Attempted, ...] = ()
    is_shorter: bool = False


def messages(brief: Brief, dataset: Dataset, most_tokens: int) -> tuple[Message, ...]:
    """The question, the same text for the same brief."""
    system = TASK.replace("%(most_tokens)s", f"{most_tokens:,}") + (SHORTER if brief.is_shorter else "")
    parts = [
        _part("The template", brief.prompt.template.source.strip("\n")),
        _part("The labels", _lines([{"name": one.name, "description": one.description} for one in dataset.labels])),
        _part("Wrong replies", _lines([_shown(one) for one in brief.lessons if one.credit < 1])),
        _part("Right replies", _lines([_shown(one) for one in brief.lessons if one.credit == 1])),
        _part("Tried before", "\n\n".join(map(_attempt, brief.attempts[-MOST_TRIED:]))),
    ]
    return Message("system", system), Message("user", "\n\n".join(parts))


def _part(title: str, text: str) -> str:
    return f"## {title}\n{text or '(none)'}"


def _shown(lesson: Lesson) -> dict[str, object]:
    item = lesson.item
    said: dict[str, object] = {"text": formatting.cut(item.text, LONGEST_TEXT)}
    said |= {"tags": list(item.tags)} if item.tags else {}
    said |= {"fields": dict(item.fields)} if item.fields else {}
    said |= {"right_answer": lesson.gold, "reply": formatting.cut(lesson.reply, LONGEST_TEXT)}
    return said | ({"credit": round(lesson.credit, 3)} if 0 < lesson.credit < 1 else {})


def _lines(rows: Sequence[dict[str, object]]) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def _attempt(one: Attempted) -> str:
    changed = difflib.unified_diff(one.base.splitlines(), one.source.splitlines(), lineterm="", n=0)
    lines = [line for line in changed if not line.startswith(("---", "+++", "@@"))]
    return f"{one.result}:\n{formatting.cut(chr(10).join(lines), LONGEST_CHANGE)}"

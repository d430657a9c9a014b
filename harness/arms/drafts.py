"""First drafts for a new task: a prompt that names its labels, and rules from the words of its training items.

They are texts to be read and changed, not arms: a person's prompt and a person's rules begin here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from harness.types import Example, Label

BYTES_PER_TOKEN = 3  # of a label; a tight limit would cut the answer
WORD = re.compile(r"[^\W\d_]{3,40}")
WORDS_PER_LABEL = 4
LEAST_ITEMS = 2  # that a word must stand in
LEAST_SHARE = 0.8  # of a word's items that must have the label

PROMPT = """\
---
description: Names the labels, and asks.
output: label
model: {{temperature: 0, max_tokens: {max_tokens}}}
---
{{% block system %}}
Sort the text into one of these labels. Answer with the label and nothing else.

{labels}
{{% endblock %}}
{{% block user %}}
{{{{ item.text }}}}
{{% endblock %}}
"""
EVERY_LABEL = """\
{% for label in labels %}
- {{ label.name }}
{% endfor %}"""
RULES = """\
description = "A draft: words that stand in the training items of one label and hardly in others."

# The first rule that fits decides. A rule has a label and one of: keyword (a whole word or phrase), regex (RE2),
# tag. Read them, and write what you know; a better file is rules-v2.toml, and the newest one is used.
"""


def prompt(labels: Sequence[Label]) -> str:
    """A prompt file for these labels; without any, one that names whichever the dataset has."""
    listed = "\n".join(f"- {_literal(label.name)}" for label in labels) or EVERY_LABEL
    longest = max((len(label.name.encode()) for label in labels), default=0)
    return PROMPT.format(labels=listed, max_tokens=max(16, longest // BYTES_PER_TOKEN + 8))


def rules(training: Sequence[Example], labels: Sequence[Label]) -> str:
    """A file of rules: for each label the words that tell it apart, or else its own name; the surest first."""
    sure = sorted(telling((one.item.text, (one.label,)) for one in training))
    without = {label.name for label in labels} - {label for *_, label in sure}
    named = [(word, label) for _, _, word, label in sure] + [(name, name) for name in sorted(without)]
    return RULES + "".join(f"\n[[rule]]\nlabel = {toml(label)}\nkeyword = {toml(word)}\n" for word, label in named)


def telling(training: Iterable[tuple[str, Collection[str]]]) -> Iterator[tuple[float, int, str, str]]:
    """The words that tell a label: the share of its items without it, minus its items, the word, the label.

    `training` are texts with their labels.
    """
    together: Counter[tuple[str, str]] = Counter()
    alone: Counter[str] = Counter()
    for text, labels in training:
        words = {word.casefold() for word in WORD.findall(text)}
        alone.update(words)
        together.update((label, word) for word in words for label in labels)
    of_label: dict[str, list[tuple[int, str]]] = {}
    for (label, word), n in together.items():
        if n >= LEAST_ITEMS and n >= LEAST_SHARE * alone[word]:
            of_label.setdefault(label, []).append((-n, word))
    for label, words_of_it in of_label.items():
        for minus_n, word in sorted(words_of_it)[:WORDS_PER_LABEL]:
            yield 1 + minus_n / alone[word], minus_n, word, label


def _literal(text: str) -> str:
    """A text that a template prints as it is."""
    return text.replace("{", '{{ "{" }}')


def toml(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

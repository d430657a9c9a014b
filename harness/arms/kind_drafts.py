"""First drafts for tasks with other answers than one label: a prompt, and rules from what the training items hold.

As in `drafts`, they are texts to be read and changed.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from harness.arms import drafts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.types import Dataset, Example

LEAST_ITEMS = 2  # that a word or a value must stand in
VALUES_PER_FIELD = 12
WORDS_PER_LIST = 24
LEAST_WEIGHT = 0.1  # of the range, that the mean of a word's items must lie off the mean of all
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

PROMPT = """\
---
description: Names {what}, and asks.
output: json
model: {{temperature: 0, max_tokens: {max_tokens}}}
---
{{% block system %}}
{task}
{{% endblock %}}
{{% block user %}}
{{{{ item.text }}}}
{{% endblock %}}
"""
LISTED = """\
{% for label in labels %}
- {{ label.name }}{% if label.description %}: {{ label.description }}{% endif %}

{% endfor %}"""
TASKS = {
    "multi": ("the labels", f"Give the text all of these labels that fit it, or none of them.\n\n{LISTED}", 200),
    "extract": (
        "the fields",
        "Copy the value of each of these fields from the text, as it stands there. Leave out a field that the text "
        f"does not have.\n\n{LISTED}",
        400,
    ),
    "score": (
        "the scale",
        "Rate the text with one number from {{ labels[0].name }} to {{ labels[-1].name }}; decimals are allowed.",
        60,
    ),
}
HEAD = (
    'description = "A draft: {what}."\n\n# {how} Read them, and write what you know; a better file is rules-v2.toml.\n'
)


def prompt(kind: str) -> str:
    """A prompt file for a kind, which names whatever labels, fields or ends of a range the dataset has."""
    what, task, max_tokens = TASKS[kind]
    return PROMPT.format(what=what, task=task, max_tokens=max_tokens)


def rules(dataset: Dataset) -> str | None:
    """A file of rules from the training items; None where they tell nothing."""
    return {"multi": _labels, "extract": _values, "score": _weights}[dataset.kind](dataset)


def _labels(dataset: Dataset) -> str:
    """For each label the words that stand in its items and hardly in others, or else its own name."""
    training = dataset.labelled("train")
    sure = sorted(drafts.telling((one.item.text, json.loads(one.label)) for one in training))
    known = {label for *_, label in sure}
    named = [(word, label) for *_, word, label in sure] + [(n, n) for n in dataset.label_names if n not in known]
    head = HEAD.format(
        what="words that stand in the training items of a label and hardly in others",
        how="Every rule that fits adds its label; where none does, there is none.",
    )
    return f"{head}default = []\n" + "".join(
        f"\n[[rule]]\nlabel = {drafts.toml(label)}\nkeyword = {drafts.toml(word)}\n" for word, label in named
    )


def _values(dataset: Dataset) -> str | None:
    """For each field a pattern of its most frequent values in training."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for example in dataset.labelled("train"):
        for name, value in _held(example):
            counts[name][value] += 1
    found = []
    for name in dataset.label_names:
        often = [value for value, n in counts[name].most_common(VALUES_PER_FIELD) if n >= LEAST_ITEMS]
        if often and NAME.fullmatch(name):
            # The longest first: of two that begin alike RE2 takes the first.
            values = "|".join(re.escape(value) for value in sorted(often, key=lambda one: (-len(one), one)))
            pattern = rf"(?:^|[^\pL\pN])(?P<{name}>{values})(?:$|[^\pL\pN])"
            found.append(f"\n[[rule]]\nregex = {drafts.toml(pattern)}\n")
    head = HEAD.format(
        what="the most frequent values of the training items", how="A rule is a pattern (RE2) with a group per field."
    )
    return head + "".join(found) if found else None


def _held(example: Example) -> list[tuple[str, str]]:
    """The fields of an item's gold, with the text of each value."""
    gold: Mapping[str, object] = json.loads(example.label)
    pairs = [(name, one) for name, held in gold.items() for one in (held if isinstance(held, list) else [held])]
    text = example.item.text
    values = [(name, text[one["start"] : one["end"]] if isinstance(one, dict) else str(one)) for name, one in pairs]
    return [(name, value.casefold()) for name, value in values]


def _weights(dataset: Dataset) -> str | None:
    """Words whose items lie far from the mean of all, weighed by how far."""
    training = dataset.labelled("train")
    low, high = (float(end) for end in dataset.label_names)
    of_word: dict[str, list[float]] = defaultdict(list)
    for example in training:
        for word in {word.casefold() for word in drafts.WORD.findall(example.item.text)}:
            of_word[word].append(float(example.label))
    mean = _mean([float(one.label) for one in training])
    far = {word: _mean(golds) - mean for word, golds in of_word.items() if len(golds) >= LEAST_ITEMS}
    kept = {word: off for word, off in far.items() if abs(off) >= LEAST_WEIGHT * (high - low)}
    order = sorted(kept, key=lambda word: (-abs(kept[word]) * len(of_word[word]), word))[:WORDS_PER_LIST]
    if not order:
        return None
    head = HEAD.format(
        what="words of the training items, by how far these lie from the mean",
        how="The weights of a text's words are added up, and squeezed into the range.",
    )
    scale = 2 / (high - low)
    lines = "".join(f"{drafts.toml(word)} = {kept[word] * scale * 4:.2f}\n" for word in sorted(order))
    return f"{head}default = {mean:.3g}\n\n[lexicon]\n{lines}"


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0
